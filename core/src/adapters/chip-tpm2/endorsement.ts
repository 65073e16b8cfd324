/**
 * The endorsement key of a TPM, its certificate, and what only it can open (TCG EK Credential Profile for TPM 2.0, clauses
 * 2.2.1 and B.3: the low-range templates L-1 and L-2). The key is made anew whenever it is needed, which always gives the
 * same one, and is never kept.
 */
import type { SecretBytes } from '../../bytes/secret-bytes.ts';
import { concat, fromHex } from '../../bytes/bytes.ts';
import { fail } from '../../domain/error.ts';
import type { Credential, Endorsement } from '../../ports/chip.ts';
import { entityOf, type Entity } from '../../tpm2/command.ts';
import {
  TPM2_ActivateCredential,
  TPM2_NV_Read,
  TPM2_NV_ReadPublic,
} from '../../tpm2/commands/endorsement.ts';
import { TPM2_CreatePrimary } from '../../tpm2/commands/object.ts';
import { TPM2_PolicySecret } from '../../tpm2/commands/policy.ts';
import { NV, OBJECT, RH } from '../../tpm2/constants.ts';
import { Tpm2Error } from '../../tpm2/response-code.ts';
import { encodePublic } from '../../tpm2/structures.ts';
import type { OpenTpm } from './shared-tpm.ts';

/** NV indices of the manufacturer's certificates (clause 2.2.1.4). */
const certificateIndices = { ECC: 0x01c0000a, RSA: 0x01c00002 } as const;
type KeyType = keyof typeof certificateIndices;

/** Most bytes of one TPM2_NV_Read: less than any TPM's TPM_PT_NV_BUFFER_MAX. */
const nvChunkBytes = 512;

/** Which endorsement key there is a certificate for, and the key itself. */
export async function findEndorsement(tpm: OpenTpm, platformPath: string): Promise<Endorsement> {
  const { type, certificate } = await chooseKey(tpm, platformPath);
  const key = await makeKey(tpm, type, platformPath);
  await tpm.connection.flush(key.handle);
  return { key: key.publicArea, certificate };
}

/** Opens a credential with the endorsement key, for the storage key. */
export async function activate(
  tpm: OpenTpm,
  credential: Credential,
  platformPath: string,
): Promise<SecretBytes> {
  const storageKey = await tpm.storageKey(platformPath);
  const { type } = await chooseKey(tpm, platformPath);
  const key = await makeKey(tpm, type, platformPath);
  return await tpm.connection.whileLoaded(key, async () => {
    // The endorsement key's policy is PolicySecret(endorsement hierarchy), whose authValue is empty where nobody set one.
    const policy = await tpm.startSession('policy', storageKey);
    await tpm.connection.run(
      TPM2_PolicySecret(entityOf(RH.ENDORSEMENT), policy),
      await tpm.authorize(storageKey),
    );
    return await tpm.connection.run(
      TPM2_ActivateCredential(storageKey, key, credential),
      await tpm.authorize(storageKey),
      { session: policy, ends: true },
    );
  });
}

async function chooseKey(
  tpm: OpenTpm,
  platformPath: string,
): Promise<{ readonly type: KeyType; readonly certificate: Uint8Array | undefined }> {
  for (const type of ['ECC', 'RSA'] as const) {
    const certificate = await readCertificate(tpm, certificateIndices[type], platformPath);
    if (certificate !== undefined) return { type, certificate };
  }
  return { type: 'ECC', certificate: undefined };
}

async function readCertificate(
  tpm: OpenTpm,
  nvIndex: number,
  platformPath: string,
): Promise<Uint8Array | undefined> {
  const { connection } = tpm;
  try {
    const index = await connection.run(TPM2_NV_ReadPublic(nvIndex));
    // Anybody may have defined it. One that is not read like a certificate would cost everybody's tries (Part 1, clause 19.8).
    const needed = NV.AUTHREAD | NV.NO_DA;
    if ((index.attributes & needed) !== needed) return undefined;
    const authorization = await tpm.authorize(await tpm.storageKey(platformPath));
    let bytes = new Uint8Array();
    while (bytes.length < index.dataSize) {
      const size = Math.min(nvChunkBytes, index.dataSize - bytes.length);
      const chunk = await connection.run(TPM2_NV_Read(index, size, bytes.length), authorization);
      if (chunk.length !== size)
        throw fail('ChipFailed', { problem: 'it gave less of its certificate than it has' });
      bytes = new Uint8Array(concat(bytes, chunk));
    }
    return withoutPadding(bytes);
  } catch (error) {
    // No such index, one that was never written, one that needs a password: no certificate.
    if (error instanceof Tpm2Error && error.command.startsWith('NV_')) return undefined;
    throw error;
  }
}

/** The DER value at the beginning: some makers define the index longer than the certificate. Undefined where none is. */
function withoutPadding(bytes: Uint8Array): Uint8Array | undefined {
  const [tag, form, high = 0, low = 0] = bytes;
  // A certificate is a SEQUENCE of 256 to 65,535 bytes: length in two bytes.
  if (tag !== 0x30 || form !== 0x82) return undefined;
  const length = 4 + high * 256 + low;
  return length > bytes.length ? undefined : bytes.slice(0, length);
}

async function makeKey(
  tpm: OpenTpm,
  type: KeyType,
  platformPath: string,
): Promise<Entity & { readonly publicArea: Uint8Array }> {
  // In the session that only the TPM with the storage key can answer in: who listens in between names no other key.
  return await tpm.connection.run(
    TPM2_CreatePrimary(RH.ENDORSEMENT, endorsementTemplate(type)),
    await tpm.authorize(await tpm.storageKey(platformPath)),
  );
}

const attributes =
  OBJECT.fixedTPM |
  OBJECT.fixedParent |
  OBJECT.sensitiveDataOrigin |
  OBJECT.adminWithPolicy |
  OBJECT.restricted |
  OBJECT.decrypt;

/** TPMT_PUBLIC of template L-1 (RSA-2048) or L-2 (ECC P-256), with the policy PolicySecret(TPM_RH_ENDORSEMENT). */
function endorsementTemplate(type: KeyType): Uint8Array {
  const authPolicy =
    fromHex('837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa') ?? new Uint8Array();
  const fields = { objectAttributes: attributes, authPolicy, symmetric: 'AES-128-CFB' } as const;
  return type === 'RSA'
    ? encodePublic({ type, ...fields, exponent: 0, unique: new Uint8Array(256) })
    : encodePublic({
        type,
        ...fields,
        scheme: 'NULL',
        unique: { x: new Uint8Array(32), y: new Uint8Array(32) },
      });
}
