/**
 * Platforms, Basic User Keys, registrations and environments with real keys, for tests of grants, generations and
 * archives. Randomness is seeded except where node:crypto makes keys and signatures.
 */
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { toHex, utf8 } from '../../core/src/bytes/bytes.ts';
import { generateAgreementKey } from '../../core/src/crypto/ecdh.ts';
import { sha256 } from '../../core/src/crypto/hash.ts';
import type { Credential, Environment, GenerationHeader } from '../../core/src/domain/environment.ts';
import { isSPMigrationError, type SPMigrationError } from '../../core/src/domain/error.ts';
import type { Registration, SignedGrant } from '../../core/src/domain/grant.ts';
import { toId, type TpmName } from '../../core/src/domain/ids.ts';
import type { Account, Identity } from '../../core/src/domain/platform.ts';
import { createAuthority, type AuthorityKey } from '../../core/src/sealing/authority.ts';
import { basicUserKeyPolicy } from '../../core/src/sealing/basic-user-key.ts';
import { credentialIdOf, platformIdsOf, tpmName } from '../../core/src/sealing/fingerprints.ts';
import { signGrant, type GrantBasis, type GrantDraft } from '../../core/src/sealing/grants.ts';
import { UserKeys } from '../../core/src/sealing/user-keys.ts';
import { basicUserKeyTemplate, softwareStorageKey, vaultKeyTemplate } from '../../core/src/tpm2/templates.ts';

/** 2026-11-24T06:00:00Z. */
export const testTime = Date.UTC(2026, 10, 24, 6) / 1000;
export const testAccount: Account = { id: 'uid:1000@0123456789abcdef0123', name: 'anna' };

/** `length` bytes that depend on `seed` only. */
export function seededBytes(seed: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let offset = 0; offset < length; offset += 32) {
    const block = sha256(utf8(`${seed} ${offset}`));
    bytes.set(block.subarray(0, Math.min(32, length - offset)), offset);
  }
  return bytes;
}

export const seededSecret = (seed: string, length = 32): SecretBytes =>
  new SecretBytes(seededBytes(seed, length));

export interface TestPlatform {
  readonly identity: Identity;
  readonly authority: AuthorityKey;
  /** Name of the storage key. */
  readonly name: TpmName;
}

/** A platform with a software storage key; its own authority unless one is given. */
export function makePlatform(computer: string, authority: AuthorityKey = createAuthority()): TestPlatform {
  const { x, y } = generateAgreementKey();
  const identity: Identity = {
    computer,
    chip: 'software',
    rehearsal: true,
    storageKey: softwareStorageKey({ x, y }),
    authorityKey: authority.public,
    attestation: new Uint8Array(),
    created: testTime,
  };
  return { identity, authority, name: platformIdsOf(identity).storageKeyName };
}

export interface TestKey {
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array;
  readonly name: TpmName;
  readonly nonce: Uint8Array;
  readonly rootAuthority: Uint8Array;
}

/** A Basic User Key under this root authority; `seed` makes its nonce. */
export function makeKey(root: AuthorityKey, seed = 'key'): TestKey {
  const nonce = seededBytes(`nonce of ${seed}`, 16);
  const publicArea = basicUserKeyTemplate(basicUserKeyPolicy(root.public, nonce), generateAgreementKey());
  return { public: publicArea, name: tpmName(publicArea), nonce, rootAuthority: root.public };
}

/** What the user of `key` leaves on a platform to which it came by `grants`. */
export function register(
  key: TestKey,
  grants: readonly SignedGrant[] = [],
  account = testAccount,
): Registration {
  return {
    account,
    rehearsal: true,
    basicUserKey: key.public,
    nonce: key.nonce,
    rootAuthority: key.rootAuthority,
    grants: grants.map(({ bytes }) => bytes),
  };
}

/** A grant's draft for everyone and everything, from now for thirty days. */
export function draft(changes: Partial<GrantDraft> = {}): GrantDraft {
  return {
    serial: toId('GrantSerial', toHex(seededBytes('serial', 16))),
    rehearsal: true,
    source: 'any',
    user: 'any',
    basicUserKey: 'any',
    notBefore: testTime,
    notAfter: testTime + 30 * 86_400,
    historyHead: new Uint8Array(),
    ...changes,
  };
}

/** A grant of `from`'s owner for `to`. */
export function grantFrom(
  from: TestPlatform,
  to: TestPlatform,
  basis: Partial<Pick<GrantBasis, 'registrations' | 'onward'>> = {},
  changes: Partial<GrantDraft> = {},
): SignedGrant {
  const serial = toId(
    'GrantSerial',
    toHex(seededBytes(`${from.identity.computer} ${to.identity.computer}`, 16)),
  );
  return signGrant(draft({ serial, ...changes }), {
    authority: from.authority,
    identity: to.identity,
    registrations: [],
    onward: true,
    ...basis,
  });
}

/** A credential of no real certificate; `seed` makes it another. */
export function makeCredential(seed: string): Credential {
  const publicKey = seededBytes(`${seed} public`, 91);
  const certificate = seededBytes(`${seed} certificate`, 300);
  return {
    id: credentialIdOf(publicKey, certificate),
    label: seed,
    publicKey,
    certificate,
    chain: [],
    request: undefined,
    origin: 'pfx',
    added: testTime,
    protection: 'vault',
  };
}

/** An environment with one credential for each of `labels`, the first active for e-mail. */
export function makeEnvironment(rootAuthority: Uint8Array, labels: readonly string[]): Environment {
  const unsorted = labels.map(makeCredential);
  const [first] = unsorted;
  const credentials = [...unsorted].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    publicPart: {
      credentials,
      features: first === undefined ? {} : { SecureEmail: first.id },
      proposed: {},
      rootAuthority,
      grants: [],
    },
    privatePart: {
      keys: new Map(credentials.map(({ id, label }) => [id, seededSecret(`key of ${label}`, 120)])),
      importedArchives: [],
      revocationNumbers: [],
      tombstones: [],
      replaces: [],
    },
  };
}

/** The keys that open a generation, from seeds. */
export function makeUser(seed = 'anna'): { readonly keys: UserKeys; readonly vaultKey: SecretBytes } {
  return {
    keys: new UserKeys(seededSecret(`root of ${seed}`)),
    vaultKey: seededSecret(`vault key of ${seed}`),
  };
}

/** A header around `key`, with blobs of no meaning. */
export function makeHeader(key: TestKey, changes: Partial<GenerationHeader> = {}): GenerationHeader {
  return {
    platformId: '0123456789abcdef0123',
    generation: 7,
    parent: 6,
    passwordSalt: seededBytes('password salt', 16),
    keySalt: seededBytes('key salt', 16),
    basicUserKey: key.public,
    nonce: key.nonce,
    basicUserKeyPrivate: seededBytes('blob', 150),
    vaultKey: {
      public: vaultKeyTemplate(seededBytes('unique', 32)),
      private: seededBytes('vault blob', 140),
    },
    ...changes,
  };
}

/** The private keys of an environment as hex, to compare. */
export function revealed({ privatePart }: Environment): Record<string, string> {
  return Object.fromEntries([...privatePart.keys].map(([id, key]) => [id, toHex(key.reveal)]));
}

/** A copy with one bit turned over; `bit` counts from the first byte's lowest. */
export function withBitFlipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  const index = Math.floor(bit / 8);
  copy[index] = (copy[index] ?? 0) ^ (1 << (bit % 8));
  return copy;
}

/** The error of the catalogue that `work` throws; anything else is thrown on. */
export function errorOf(work: () => unknown): SPMigrationError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (isSPMigrationError(error)) return error;
    throw error;
  }
}

/** Its code alone. */
export function codeOf(work: () => unknown): string | undefined {
  return errorOf(work)?.code;
}
