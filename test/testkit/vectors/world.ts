/**
 * The computers, people and files of the vectors: A and B and C with software chips, Anna's Basic User Key made at A,
 * a fleet's authority, and grants and archives between them. All from seeds.
 */
import { toHex, utf8 } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { deriveRoot } from '../../../core/src/crypto/kdf.ts';
import { StorageKey } from '../../../core/src/adapters/chip-software/storage-key.ts';
import type { ArchiveParts, Manifest } from '../../../core/src/domain/archive.ts';
import type { Credential, Environment, GenerationHeader } from '../../../core/src/domain/environment.ts';
import type { Grant, KeyApproval, RevocationList, SignedGrant } from '../../../core/src/domain/grant.ts';
import { toId, type TpmName } from '../../../core/src/domain/ids.ts';
import type { Account, Identity } from '../../../core/src/domain/platform.ts';
import { appendSignature, decodeGrant, encodeGrantBody } from '../../../core/src/format/grant-v1.ts';
import { encodeRevocationListBody } from '../../../core/src/format/revocation-list-v1.ts';
import { sealArchive } from '../../../core/src/sealing/archive.ts';
import { basicUserKeyPolicy } from '../../../core/src/sealing/basic-user-key.ts';
import {
  authorityFingerprint,
  credentialIdOf,
  identityFingerprint,
  tpmName,
} from '../../../core/src/sealing/fingerprints.ts';
import { sealBasicUserKey } from '../../../core/src/sealing/environment.ts';
import { UserKeys } from '../../../core/src/sealing/user-keys.ts';
import { sealedUnique } from '../../../core/src/tpm2/binding.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import {
  approvalMessage,
  delegationDigest,
  moveDigest,
  REF_ANY,
  refOne,
} from '../../../core/src/tpm2/policy.ts';
import { wrapChild } from '../../../core/src/tpm2/protection.ts';
import { Sensitive } from '../../../core/src/tpm2/sensitive.ts';
import {
  authorityTemplate,
  basicUserKeyTemplate,
  vaultKeyTemplate,
} from '../../../core/src/tpm2/templates.ts';
import {
  duplicateDeterministically,
  seeded,
  seededKeyPair,
  seededSecret,
  signDeterministically,
} from './deterministic.ts';

/** 2026-11-25T08:00:00Z. */
export const now = 1_795_593_600;
export const day = 86_400;

/** An authority with its private key. */
export interface VectorAuthority {
  readonly privateKey: Uint8Array;
  readonly public: Uint8Array;
}

export interface VectorPlatform {
  readonly identity: Identity;
  readonly storageKey: StorageKey;
  readonly name: TpmName;
  readonly authority: VectorAuthority;
}

export function makeAuthority(seed: string): VectorAuthority {
  const { privateKey, x, y } = seededKeyPair(`authority ${seed}`);
  return { privateKey: privateKey.reveal, public: authorityTemplate(x, y) };
}

function makePlatform(computer: string): VectorPlatform {
  const { privateKey, x, y } = seededKeyPair(`storage key of ${computer}`);
  const storageKey = new StorageKey({ x, y }, privateKey, seededSecret(`seed of ${computer}`));
  const authority = makeAuthority(computer);
  const identity: Identity = {
    computer,
    chip: 'software',
    rehearsal: false,
    storageKey: storageKey.public,
    authorityKey: authority.public,
    attestation: new Uint8Array(),
    created: now - day,
  };
  return { identity, storageKey, name: tpmName(storageKey.public), authority };
}

export const platformA = makePlatform('PC-A');
export const platformB = makePlatform('PC-B');
export const platformC = makePlatform('PC-C');

export const anna: Account = {
  id: 'sid:S-1-5-21-1004336348-1177238915-682003330-1001',
  name: 'CONTOSO\\anna',
  upn: 'anna@contoso.example',
};
export const password = 'Correct horse 7 – Łódź';
export const passwordSalt = seeded('password salt', 16);
export const transferCode = seeded('transfer code', 10);

/** Anna's keys, made at A. Argon2id runs once. */
export const annasKeys = new UserKeys(await deriveRoot(new SecretBytes(utf8(password)), passwordSalt));
const bukPair = seededKeyPair('basic user key');
export const nonce = seeded('nonce', 16);
export const basicUserKey = basicUserKeyTemplate(
  basicUserKeyPolicy(platformA.authority.public, nonce),
  bukPair,
);
export const basicUserKeyName = tpmName(basicUserKey);
const bukSeed = seededSecret('seed of the basic user key');

const copy = (secret: SecretBytes): SecretBytes => SecretBytes.copyOf(secret.reveal);
const bukSensitive = (): Sensitive =>
  new Sensitive('ECC', copy(annasKeys.basicUserAuth), copy(bukSeed), copy(bukPair.privateKey));

export const vaultSecret = seededSecret('vault key');
const vaultSensitive = new Sensitive(
  'KEYEDHASH',
  copy(annasKeys.vaultAuth),
  seededSecret('seed of the vault key'),
  copy(vaultSecret),
);
const vaultPublic = vaultKeyTemplate(sealedUnique(vaultSensitive));
const vaultPrivate = wrapChild(bukSeed, vaultPublic, vaultSensitive, seeded('iv of the vault key', 16));

/** A grant file: fields as given, signed by `by`, whatever they say. */
export function signGrantFile(grant: Grant, by: VectorAuthority): Uint8Array {
  const body = encodeGrantBody(grant);
  return appendSignature(body, authorityFingerprint(by.public), signDeterministically(by.privateKey, body));
}

export function approve(by: VectorAuthority, digest: Uint8Array, policyRef: Uint8Array): Uint8Array {
  return signDeterministically(by.privateKey, approvalMessage(digest, policyRef));
}

/** One delegation for Anna's key to another authority, under the key's refOne. */
export function delegate(by: VectorAuthority, to: Uint8Array): KeyApproval {
  return {
    basicUserKey: basicUserKeyName,
    nonce,
    signature: approve(by, delegationDigest(nameOf(to), nonce), refOne(nonce)),
  };
}

/** A grant of everything to `to`, approved under refAny, with a delegation onward. */
export function grantTo(to: VectorPlatform, by: VectorAuthority, changes: Partial<Grant> = {}): Grant {
  return {
    serial: toId('GrantSerial', toHex(seeded(`serial for ${to.identity.computer}`, 16))),
    rehearsal: false,
    authority: by.public,
    source: 'any',
    destinationComputer: to.identity.computer,
    destinationFingerprint: identityFingerprint(to.identity),
    destinationKey: to.identity.storageKey,
    user: 'any',
    basicUserKey: 'any',
    notBefore: now - day,
    notAfter: now + 29 * day,
    onward: [delegate(by, to.identity.authorityKey)],
    approval: [
      {
        basicUserKey: 'any',
        signature: approve(by, moveDigest(undefined, nameOf(to.identity.storageKey)), REF_ANY),
      },
    ],
    move: [],
    historyHead: seeded('history', 32),
    ...changes,
  };
}

/** B's owner moves Anna's key on to C, as A's delegate. */
export function grantOnward(changes: Partial<Grant> = {}): Grant {
  const by = platformB.authority;
  const digest = moveDigest(nameOf(basicUserKey), nameOf(platformC.identity.storageKey));
  return {
    ...grantTo(platformC, by),
    approval: [],
    basicUserKey: [basicUserKeyName],
    move: [{ basicUserKey: basicUserKeyName, nonce, signature: approve(by, digest, refOne(nonce)) }],
    ...changes,
  };
}

export const grantAtoB = signGrantFile(grantTo(platformB, platformA.authority), platformA.authority);
export const grantBtoC = signGrantFile(grantOnward(), platformB.authority);

export function signRevocationFile(list: Omit<RevocationList, 'authority'>, by: VectorAuthority): Uint8Array {
  const body = encodeRevocationListBody({ ...list, authority: by.public });
  return appendSignature(body, authorityFingerprint(by.public), signDeterministically(by.privateKey, body));
}

function makeCredential(seed: string, pending: boolean): Credential {
  const publicKey = seeded(`${seed} public key`, 91);
  const certificate = pending ? undefined : seeded(`${seed} certificate`, 400);
  return {
    id: credentialIdOf(publicKey, certificate),
    label: seed,
    publicKey,
    certificate,
    chain: pending ? [] : [seeded('issuer', 350)],
    request: pending ? seeded(`${seed} request`, 200) : undefined,
    origin: pending ? 'new' : 'pfx',
    added: now - day,
    protection: 'vault',
  };
}

/** Two credentials: one active for e-mail, one that waits for its certificate. Certificates are not real ones. */
export function makeEnvironment(): Environment {
  const credentials = [makeCredential('e-mail of Żaneta', false), makeCredential('waiting', true)].sort(
    (a, b) => (a.id < b.id ? -1 : 1),
  );
  const active = credentials.find(({ certificate }) => certificate !== undefined);
  return {
    publicPart: {
      credentials,
      features: active === undefined ? {} : { SecureEmail: active.id },
      proposed: {},
      rootAuthority: platformA.authority.public,
      grants: [],
    },
    privatePart: {
      keys: new Map(credentials.map(({ id, label }) => [id, seededSecret(`private key of ${label}`, 138)])),
      importedArchives: [],
      revocationNumbers: [{ authority: authorityFingerprint(platformA.authority.public), number: 3 }],
      tombstones: [],
      replaces: [],
    },
  };
}

export interface ArchiveOptions {
  readonly grants?: readonly Uint8Array[];
  readonly destination?: VectorPlatform;
  readonly manifest?: Partial<Manifest>;
  readonly transferCode?: boolean;
  readonly environment?: Environment;
  /** Another public area than the key that is handed over. */
  readonly basicUserKey?: Uint8Array;
}

/** The entries of Anna's archive from A to B, or as the options say. */
export function makeArchive(options: ArchiveOptions = {}): ArchiveParts {
  const destination = options.destination ?? platformB;
  const archive = toId('ArchiveId', toHex(seeded('archive', 16)));
  const code = options.transferCode === true ? new SecretBytes(transferCode.slice()) : undefined;
  const publicArea = options.basicUserKey ?? basicUserKey;
  const grants: readonly SignedGrant[] = (options.grants ?? [grantAtoB]).map((bytes) =>
    decodeGrant(bytes, 'grant'),
  );
  const environment = options.environment ?? makeEnvironment();
  return sealArchive({
    manifest: {
      archive,
      created: now,
      rehearsal: false,
      sourceComputer: 'PC-A',
      sourceFingerprint: identityFingerprint(platformA.identity),
      sourceKey: platformA.name,
      account: anna,
      destinationComputer: destination.identity.computer,
      destinationKey: destination.name,
      basicUserKey: tpmName(publicArea),
      nonce,
      generation: 7,
      credentials: environment.publicPart.credentials.length,
      activeFeatures: Object.keys(environment.publicPart.features).length,
      passwordSalt,
      transferCode: options.transferCode === true,
      replaces: [],
      historyHead: seeded('history of A', 32),
      ...options.manifest,
    },
    grants,
    basicUserKey: publicArea,
    duplicate: duplicateDeterministically(
      destination.storageKey.point,
      publicArea,
      bukSensitive(),
      annasKeys.innerKey(archive, code),
      'archive',
    ),
    vaultKey: { public: vaultPublic, private: vaultPrivate },
    environment,
    archiveKey: annasKeys.archiveKey(vaultSecret, archive, code),
  });
}

/** The header of Anna's generation 7 on this platform, with her key under its chip. */
export function headerOf(platform: VectorPlatform, platformId: string): GenerationHeader {
  const keySalt = seeded('key salt', 16);
  const blob = wrapChild(
    platform.storageKey.seedValue,
    basicUserKey,
    bukSensitive(),
    seeded('iv of the basic user key', 16),
  );
  return {
    platformId,
    generation: 7,
    parent: 6,
    passwordSalt,
    keySalt,
    basicUserKey,
    nonce,
    basicUserKeyPrivate: sealBasicUserKey(blob, basicUserKey, keySalt, 'software', annasKeys.atRest),
    vaultKey: { public: vaultPublic, private: vaultPrivate },
  };
}
