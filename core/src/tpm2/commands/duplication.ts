/** Handing an object over to another TPM (TPM 2.0 Part 3, clause 13), with the inner wrapper that the user's key opens. */
import { ByteWriter } from '../../bytes/reader.ts';
import type { SecretBytes } from '../../bytes/secret-bytes.ts';
import { maximumTpm2b, type Command, type Entity } from '../command.ts';
import { ALG } from '../constants.ts';
import type { Duplicate } from '../duplication.ts';

/** TPM2_Duplicate, Part 3, clause 13.1. `innerKey` has 16 bytes. */
export function TPM2_Duplicate(object: Entity, newParent: Entity, innerKey: SecretBytes): Command<Duplicate> {
  return {
    name: 'Duplicate',
    handles: [object, newParent],
    authorized: 1,
    parameters: innerWrapper(new ByteWriter().sized16(innerKey.reveal)).done(),
    secretParameter: true,
    read: (reader) => {
      reader.sized16(0); // encryptionKeyOut: the key was ours
      return { duplicate: reader.sized16(maximumTpm2b), seed: reader.sized16(maximumTpm2b) };
    },
  };
}

/** TPM2_Import, Part 3, clause 13.3: a TPM2B_PRIVATE body for this parent. It changes nothing in the TPM. */
export function TPM2_Import(
  parent: Entity,
  publicArea: Uint8Array,
  handedOver: Duplicate,
  innerKey: SecretBytes,
): Command<Uint8Array> {
  return {
    name: 'Import',
    handles: [parent],
    authorized: 1,
    parameters: innerWrapper(
      new ByteWriter()
        .sized16(innerKey.reveal)
        .sized16(publicArea)
        .sized16(handedOver.duplicate)
        .sized16(handedOver.seed),
    ).done(),
    secretParameter: true,
    read: (reader) => reader.sized16(maximumTpm2b),
  };
}

function innerWrapper(writer: ByteWriter): ByteWriter {
  return writer.u16(ALG.AES).u16(128).u16(ALG.CFB);
}
