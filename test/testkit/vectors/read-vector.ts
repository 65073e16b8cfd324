/**
 * Reads the file of a vector as far as its stage says, with the product's own code: this is the implementation under test.
 * Answers what was opened, and lets every error through.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSoftwareChip } from '../../../core/src/adapters/chip-software/software-chip.ts';
import { StorageKey } from '../../../core/src/adapters/chip-software/storage-key.ts';
import { encodeStorageKeyV1 } from '../../../core/src/adapters/chip-software/storage-key-v1.ts';
import { createFileSystem } from '../../../core/src/adapters/system/node-file-system.ts';
import { createZipContainer } from '../../../core/src/adapters/zip/container.ts';
import { fromBase64, fromHex, toHex } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { sha256 } from '../../../core/src/crypto/hash.ts';
import { deriveRoot } from '../../../core/src/crypto/kdf.ts';
import { pointOf } from '../../../core/src/crypto/p256.ts';
import type { Environment, KeyBlob } from '../../../core/src/domain/environment.ts';
import { fail } from '../../../core/src/domain/error.ts';
import { parseId } from '../../../core/src/domain/ids.ts';
import { parseInstant } from '../../../core/src/domain/time.ts';
import { encodeArchiveEnvironment } from '../../../core/src/format/archive-environment-v1.ts';
import { decodeAttestation } from '../../../core/src/format/attestation-v1.ts';
import { decodeGeneration } from '../../../core/src/format/generation-v1.ts';
import { decodeGrant } from '../../../core/src/format/grant-v1.ts';
import { decodeIdentity } from '../../../core/src/format/identity-v1.ts';
import { decodePolicy } from '../../../core/src/format/policy-v1.ts';
import { decodeRevocationList } from '../../../core/src/format/revocation-list-v1.ts';
import type { Chip } from '../../../core/src/ports/chip.ts';
import { openArchive, readArchive } from '../../../core/src/sealing/archive.ts';
import { verifyAttestation, type AttestationQuestion } from '../../../core/src/sealing/attestation.ts';
import { readChallenge, requireCommitted, requireForThisChip } from '../../../core/src/sealing/challenge.ts';
import { checkIdentity } from '../../../core/src/sealing/identity.ts';
import { verifyChain } from '../../../core/src/sealing/chain.ts';
import { checkGrant, type MoveFacts } from '../../../core/src/sealing/check-grant.ts';
import { openBasicUserKey, openGeneration } from '../../../core/src/sealing/environment.ts';
import { UserKeys } from '../../../core/src/sealing/user-keys.ts';
import { verifyGrant, verifyRevocationList } from '../../../core/src/sealing/verify-grant.ts';
import { codecs, type CodecName } from '../codecs.ts';
import { activate, makeEccEndorsementKey } from '../tpm-double.ts';
import { seeded } from './deterministic.ts';
import type { HeaderName, Vector } from './vector-file.ts';

export interface ReadVector {
  /** What encoding the decoded file again gives; undefined where it was not only decoded. */
  readonly again?: Uint8Array;
  /** SHA-256 of the opened environment in its archive form, hex. */
  readonly environmentSha256?: string;
  /** What the endorsement key of the vector gives out for a challenge, hex. */
  readonly answer?: string;
}

const container = createZipContainer();

export async function readVector(vector: Vector): Promise<ReadVector> {
  const { body } = vector;
  const path = vector.name;
  const read = header(vector, 'read');
  const stage = header(vector, 'stage');
  switch (`${read} ${stage}`) {
    case 'policy decode':
      decodePolicy(body, path);
      return {};
    case 'identity verify':
      checkIdentity(decodeIdentity(body, path), path);
      return {};
    case 'challenge verify':
      readChallenge(body, path);
      return {};
    case 'challenge open':
      return { answer: openChallenge(vector) };
    case 'attestation check':
      verifyAttestation(questionOf(vector), path);
      return {};
    case 'grant verify':
      verifyGrant(decodeGrant(body, path), path);
      return {};
    case 'grant check': {
      const grant = decodeGrant(body, path);
      verifyGrant(grant, path);
      checkGrant(grant, factsOf(vector), path);
      return {};
    }
    case 'revocation-list verify':
      verifyRevocationList(decodeRevocationList(body, path), path);
      return {};
    case 'archive verify':
      await verifyArchive(body, path);
      return {};
    case 'archive open':
      return withChip(vector, (chip) => openArchiveFile(vector, chip));
    case 'generation open':
      return withChip(vector, (chip) => openGenerationFile(vector, chip));
    default:
      if (stage !== 'decode' || !Object.hasOwn(codecs, read))
        throw new Error(`${path}: nothing reads ${read} ${stage}`);
      return { again: await codecs[read as CodecName](body, path) };
  }
}

/** As the TPM with the vector's endorsement key answers, after the checks of a destination. */
function openChallenge(vector: Vector): string {
  const signed = readChallenge(vector.body, vector.name);
  const { challenge } = signed;
  const privateKey = new SecretBytes(hex(vector, 'endorsement-key'));
  const key = makeEccEndorsementKey({ privateKey, ...required(vector, pointOf(privateKey)) });
  requireForThisChip(signed, challenge.destinationKey, key.public);
  const credential = { credentialBlob: challenge.credentialBlob, secret: challenge.encryptedSecret };
  using secret = activate(key, challenge.destinationKey, credential);
  if (secret === undefined) throw fail('CredentialNotForThisChip');
  requireCommitted(signed, secret);
  return toHex(secret.reveal);
}

function questionOf(vector: Vector): AttestationQuestion {
  const { headers } = vector;
  const identity = decodeIdentity(base64(vector, 'identity'), 'identity');
  checkIdentity(identity, 'identity');
  return {
    attestation: decodeAttestation(vector.body, vector.name),
    identity,
    authority: base64(vector, 'authority'),
    rehearsal: header(vector, 'rehearsal') === 'yes',
    vouchers: {
      fingerprint: parseId('EndorsementFingerprint', headers.get('endorsement-key-fingerprint') ?? ''),
      manufacturers: [],
    },
    now: required(vector, parseInstant(header(vector, 'now'))),
  };
}

async function verifyArchive(body: Uint8Array, path: string) {
  const read = readArchive(await container.unpack(body, path), path);
  verifyChain({ grants: read.grants, basicUserKey: read.basicUserKey, nonce: read.manifest.nonce }, path);
  return read;
}

/** As an import on an empty platform: the chip takes the key, the key opens the vault, the vault the environment. */
async function openArchiveFile(vector: Vector, chip: Chip): Promise<ReadVector> {
  const read = await verifyArchive(vector.body, vector.name);
  const { manifest } = read;
  using keys = new UserKeys(await rootOf(vector, manifest.passwordSalt));
  const code = vector.headers.has('transfer-code')
    ? new SecretBytes(hex(vector, 'transfer-code'))
    : undefined;
  const blob = await chip.importBasicUserKey(
    read.basicUserKey,
    read.duplicate,
    keys.innerKey(manifest.archive, code),
  );
  using vaultKey = await openVault(chip, blob, keys, read.vaultKey);
  return opened(openArchive(read, keys.archiveKey(vaultKey, manifest.archive, code), vector.name));
}

async function openGenerationFile(vector: Vector, chip: Chip): Promise<ReadVector> {
  const decoded = decodeGeneration(vector.body, vector.name);
  const { header } = decoded;
  using keys = new UserKeys(await rootOf(vector, header.passwordSalt));
  const blob = {
    public: header.basicUserKey,
    private: openBasicUserKey(header, 'software', keys.atRest, 'this platform'),
  };
  using vaultKey = await openVault(chip, blob, keys, header.vaultKey);
  return opened(openGeneration(decoded, { vaultKey, atRest: keys.atRest }, vector.name));
}

async function openVault(chip: Chip, key: KeyBlob, keys: UserKeys, vaultKey: KeyBlob): Promise<SecretBytes> {
  const loaded = await chip.loadBasicUserKey(key, keys.basicUserAuth);
  try {
    return await loaded.openVaultKey(vaultKey, keys.vaultAuth);
  } finally {
    await loaded.dispose();
  }
}

function opened(environment: Environment): ReadVector {
  return { environmentSha256: toHex(sha256(encodeArchiveEnvironment(environment).reveal)) };
}

/** A software chip with the storage key of the vector's reader. */
async function withChip(vector: Vector, work: (chip: Chip) => Promise<ReadVector>): Promise<ReadVector> {
  const bytes = hex(vector, 'storage-key');
  const privateKey = SecretBytes.copyOf(bytes.subarray(0, 32));
  const point = pointOf(privateKey);
  if (point === undefined) throw new Error(`${vector.name}: no storage key`);
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-vector-'));
  try {
    const content = encodeStorageKeyV1(
      new StorageKey(point, privateKey, SecretBytes.copyOf(bytes.subarray(32))),
    );
    await writeFile(join(folder, 'storage-key'), content.reveal);
    return await work(
      createSoftwareChip({
        folder,
        disk: createFileSystem('linux'),
        random: (length) => seeded('chip', length),
      }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const roots = new Map<string, Uint8Array>();

/** Argon2id is slow on purpose: once for each password and salt. */
async function rootOf(vector: Vector, salt: Uint8Array): Promise<SecretBytes> {
  const key = `${header(vector, 'password')} ${toHex(salt)}`;
  const root = roots.get(key) ?? (await deriveRoot(new SecretBytes(hex(vector, 'password')), salt)).reveal;
  roots.set(key, root);
  return SecretBytes.copyOf(root);
}

/** The move at hand, from the headers. */
function factsOf(vector: Vector): MoveFacts {
  const [id = '', upn] = header(vector, 'account').split(' ');
  const list = vector.headers.get('revocation-list');
  const revocations =
    list === undefined
      ? undefined
      : decodeRevocationList(fromBase64(list) ?? new Uint8Array(), 'revocation list');
  if (revocations !== undefined) verifyRevocationList(revocations, 'revocation list');
  return {
    now: required(vector, parseInstant(header(vector, 'now'))),
    rehearsal: header(vector, 'rehearsal') === 'yes',
    sourceKey: required(vector, parseId('TpmName', header(vector, 'source-key'))),
    account: { id, name: 'anna', ...(upn !== undefined && { upn }) },
    basicUserKey: required(vector, parseId('TpmName', header(vector, 'basic-user-key'))),
    destinationKey: required(vector, parseId('TpmName', header(vector, 'destination-key'))),
    revoked: (signer, serial) =>
      revocations?.signer === signer
        ? revocations.list.revoked.find((one) => one.serial === serial)?.reason
        : undefined,
  };
}

function header(vector: Vector, name: HeaderName): string {
  return required(vector, vector.headers.get(name));
}

function hex(vector: Vector, name: HeaderName): Uint8Array {
  return required(vector, fromHex(header(vector, name)));
}

function base64(vector: Vector, name: HeaderName): Uint8Array {
  return required(vector, fromBase64(header(vector, name)));
}

function required<T>(vector: Vector, value: T | undefined): T {
  if (value === undefined) throw new Error(`${vector.name}: a header is missing or wrong`);
  return value;
}
