/**
 * A TPM as far as attestation needs one, in software: the software chip under a storage key that says what a TPM's says, with an
 * endorsement key of its own. It activates credentials as a TPM does (TPM 2.0 Part 1, clause 24), from the other side of
 * `tpm2/credential.ts`. Real TPMs answer in `test/interop` and `test/flow/attestation-swtpm.test.ts`.
 */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  privateDecrypt,
  type KeyObject,
} from 'node:crypto';
import { equal, fromHex, plain, utf8 } from '../../core/src/bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../../core/src/bytes/reader.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { agree, generateAgreementKey } from '../../core/src/crypto/ecdh.ts';
import { importPublicKey, type P256KeyPair } from '../../core/src/crypto/p256.ts';
import { fail } from '../../core/src/domain/error.ts';
import type { Chip, Credential, Endorsement } from '../../core/src/ports/chip.ts';
import type { Ports } from '../../core/src/ports/ports.ts';
import { OBJECT } from '../../core/src/tpm2/constants.ts';
import { KDFe } from '../../core/src/tpm2/kdf.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { unwrapOuter } from '../../core/src/tpm2/protection.ts';
import { decodePublic, encodePublic, type Public } from '../../core/src/tpm2/structures.ts';

const storageBinding = OBJECT.fixedTPM | OBJECT.fixedParent | OBJECT.sensitiveDataOrigin;
const endorsementAttributes = storageBinding | OBJECT.adminWithPolicy | OBJECT.restricted | OBJECT.decrypt;
/** PolicySecret(TPM_RH_ENDORSEMENT), as in the TCG's templates L-1 and L-2. */
const endorsementPolicy =
  fromHex('837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa') ?? new Uint8Array();

/** An endorsement key whose private half is known. */
export interface EndorsementKey {
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array;
  /** SubjectPublicKeyInfo, DER, for a certificate. */
  readonly spki: Uint8Array;
  /** The seed in a TPM2B_ENCRYPTED_SECRET body; undefined where it is not for this key. */
  readonly seed: (encrypted: Uint8Array) => SecretBytes | undefined;
}

/** With other attributes: a key that only looks like one. */
export function makeEccEndorsementKey(
  pair: P256KeyPair = generateAgreementKey(),
  objectAttributes = endorsementAttributes,
): EndorsementKey {
  const area = encodePublic({
    type: 'ECC',
    objectAttributes,
    authPolicy: endorsementPolicy,
    symmetric: 'AES-128-CFB',
    scheme: 'NULL',
    unique: pair,
  });
  const key = importPublicKey(pair);
  if (key === undefined) throw new Error('no point');
  return { public: area, spki: spkiOf(key), seed: (encrypted) => eccSeed(pair, encrypted) };
}

export function makeRsaEndorsementKey(): EndorsementKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const modulus = plain(Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url'));
  const area = encodePublic({
    type: 'RSA',
    objectAttributes: endorsementAttributes,
    authPolicy: endorsementPolicy,
    symmetric: 'AES-128-CFB',
    exponent: 0,
    unique: modulus,
  });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return { public: area, spki: spkiOf(publicKey), seed: (encrypted) => rsaSeed(pem, encrypted) };
}

/** SubjectPublicKeyInfo, DER, of the key in a public area. */
export function spkiOfArea(area: Public): Uint8Array {
  if (area.type === 'KEYEDHASH') throw new Error('no key pair');
  const key =
    area.type === 'ECC'
      ? importPublicKey(area.unique)
      : createPublicKey({
          key: { kty: 'RSA', n: Buffer.from(area.unique).toString('base64url'), e: 'AQAB' },
          format: 'jwk',
        });
  if (key === undefined) throw new Error('no point');
  return spkiOf(key);
}

/** What a TPM does with a credential; undefined where it refuses. */
export function activate(
  key: EndorsementKey,
  storageKey: Uint8Array,
  { credentialBlob, secret }: Credential,
): SecretBytes | undefined {
  using seed = key.seed(secret);
  using content = seed && unwrapOuter(seed, nameOf(storageKey), credentialBlob);
  if (content === undefined) return undefined;
  const reader = new ByteReader(content.reveal, (problem) => new Error(problem));
  const opened = new SecretBytes(reader.sized16(32));
  reader.end();
  return opened;
}

/** The public area of a software storage key, saying that a TPM keeps it. */
export function claimingTpm(storageKey: Uint8Array, without = 0): Uint8Array {
  const area = decodePublic(storageKey);
  if (area === undefined) throw new Error('no storage key');
  return encodePublic({ ...area, objectAttributes: (area.objectAttributes | storageBinding) & ~without });
}

/** The double over a software chip. `certificate` is that of its endorsement key. */
export function createTpmDouble(software: Chip, key: EndorsementKey, certificate?: Uint8Array): Chip {
  const storageKey = async (): Promise<Uint8Array> => claimingTpm(await software.storageKey());
  return {
    describe: () => Promise.resolve({ kind: 'tpm2', model: 'A double', enforcement: 'By nobody.' }),
    endorsement: (): Promise<Endorsement> => Promise.resolve({ key: key.public, certificate }),
    activateCredential: async (credential) => {
      const opened = activate(key, await storageKey(), credential);
      if (opened === undefined) throw fail('CredentialNotForThisChip');
      return opened;
    },
    provision: async () => claimingTpm(await software.provision()),
    storageKey,
    createBasicUserKey: (policy, authValue) => software.createBasicUserKey(policy, authValue),
    importBasicUserKey: (publicArea, handedOver, innerKey) =>
      software.importBasicUserKey(publicArea, handedOver, innerKey),
    loadBasicUserKey: (blob, authValue) => software.loadBasicUserKey(blob, authValue),
  };
}

/** Gives a computer such a TPM, from which on it can be initialized with `-Chip Tpm2`. */
export function giveTpm(computer: { ports: Ports }, key: EndorsementKey, certificate?: Uint8Array): void {
  const { chip } = computer.ports;
  computer.ports = {
    ...computer.ports,
    chip: async (kind, recorded) =>
      kind === 'tpm2' ? createTpmDouble(await chip('software'), key, certificate) : chip(kind, recorded),
  };
}

function eccSeed(pair: P256KeyPair, encrypted: Uint8Array): SecretBytes | undefined {
  // Two coordinates of 32 bytes, each behind its length, as this product writes them.
  const ephemeral = { x: encrypted.slice(2, 34), y: encrypted.slice(36, 68) };
  const written = new ByteWriter().sized16(ephemeral.x).sized16(ephemeral.y).done();
  if (!equal(encrypted, written) || written.length !== 68) return undefined;
  using shared = agree(pair.privateKey, pair, ephemeral);
  return shared && KDFe(shared, 'IDENTITY', ephemeral.x, pair.x, 32);
}

function rsaSeed(pem: string | Buffer, encrypted: Uint8Array): SecretBytes | undefined {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const options = { key: createPrivateKey(pem), padding, oaepHash: 'sha256', oaepLabel: utf8('IDENTITY\0') };
  try {
    return new SecretBytes(plain(privateDecrypt(options, encrypted)));
  } catch {
    return undefined; // as a TPM: TPM_RC_VALUE
  }
}

function spkiOf(key: KeyObject): Uint8Array {
  return plain(key.export({ type: 'spki', format: 'der' }));
}
