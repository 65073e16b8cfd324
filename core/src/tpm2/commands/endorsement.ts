/** What proves which TPM this is (TPM 2.0 Part 3, clauses 12.5 and 31): credentials, and the certificate in its NV. */
import { ByteWriter } from '../../bytes/reader.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { entityOf, maximumTpm2b, type Command, type Entity } from '../command.ts';

/**
 * TPM2_ActivateCredential, Part 3, clause 12.5: what was sealed for `key` (the endorsement key) and the Name of `activated`.
 * The first authorization is that of `activated`, which also encrypts the answer. The caller disposes it.
 */
export function TPM2_ActivateCredential(
  activated: Entity,
  key: Entity,
  credential: { readonly credentialBlob: Uint8Array; readonly secret: Uint8Array },
): Command<SecretBytes> {
  return {
    name: 'ActivateCredential',
    handles: [activated, key],
    authorized: 2,
    parameters: new ByteWriter().sized16(credential.credentialBlob).sized16(credential.secret).done(),
    secretResponse: true,
    read: (reader) => new SecretBytes(reader.sized16(maximumTpm2b)),
  };
}

/** An NV index, what it permits (TPMA_NV) and how many bytes it holds. */
export interface NvIndex extends Entity {
  readonly attributes: number;
  readonly dataSize: number;
}

/** TPM2_NV_ReadPublic, Part 3, clause 31.6. */
export function TPM2_NV_ReadPublic(nvIndex: number): Command<NvIndex> {
  return {
    name: 'NV_ReadPublic',
    handles: [entityOf(nvIndex)],
    authorized: 0,
    parameters: new Uint8Array(),
    read: (reader) => {
      // TPMS_NV_PUBLIC behind its length: nvIndex, nameAlg, attributes, authPolicy, dataSize.
      reader.take(2 + 4 + 2);
      const attributes = reader.u32();
      reader.sized16(maximumTpm2b);
      const dataSize = reader.u16();
      return { handle: nvIndex, name: reader.sized16(maximumTpm2b), attributes, dataSize };
    },
  };
}

/** TPM2_NV_Read, Part 3, clause 31.13: `size` bytes from `offset`, authorized by the index itself with an empty authValue. */
export function TPM2_NV_Read(index: Entity, size: number, offset: number): Command<Uint8Array> {
  return {
    name: 'NV_Read',
    handles: [index, index],
    authorized: 1,
    parameters: new ByteWriter().u16(size).u16(offset).done(),
    read: (reader) => reader.sized16(maximumTpm2b),
  };
}
