/** One plausible value of every text kind, from fixed bytes; tests change single fields. Signatures are not real. */
import { toHex } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import type { Attestation, Challenge, Endorsement } from '../../core/src/domain/attestation.ts';
import type { ArchiveParts, Manifest } from '../../core/src/domain/archive.ts';
import type { Credential, Environment, GenerationHeader } from '../../core/src/domain/environment.ts';
import type { Grant, Registration, RevocationList } from '../../core/src/domain/grant.ts';
import { hexDigits, toId } from '../../core/src/domain/ids.ts';
import type { Identity, PlatformSettings } from '../../core/src/domain/platform.ts';
import type { Receipt } from '../../core/src/domain/receipt.ts';
import type { AuthorityFile } from '../../core/src/format/authority-v1.ts';

/** `length` bytes that depend on `seed`: an LCG's high bytes (Numerical Recipes), for looks only. */
export function fixedBytes(length: number, seed: number): Uint8Array {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

/** An identifier of the given kind that depends on `seed`. */
export function fixedId<Kind extends keyof typeof hexDigits>(
  kind: Kind,
  seed: number,
): ReturnType<typeof toId<Kind>> {
  const hex = toHex(fixedBytes(hexDigits[kind] / 2, seed));
  return toId(kind, kind === 'TpmName' ? `000b${hex.slice(4)}` : hex);
}

/** Wednesday, 2026-11-25T08:00:00Z. */
export const sampleTime = 1_795_593_600;
const day = 86_400;

export const sampleAccount = {
  id: 'sid:S-1-5-21-1004336348-1177238915-682003330-1001',
  name: 'CONTOSO\\anna',
  upn: 'anna@contoso.example',
};

export const sampleIdentity: Identity = {
  computer: 'PC-B',
  chip: 'software',
  rehearsal: true,
  storageKey: fixedBytes(102, 1),
  authorityKey: fixedBytes(88, 2),
  attestation: new Uint8Array(),
  created: sampleTime,
};

export const sampleGrant: Grant = {
  serial: fixedId('GrantSerial', 3),
  rehearsal: true,
  authority: fixedBytes(88, 4),
  source: 'any',
  destinationComputer: 'PC-B',
  destinationFingerprint: fixedId('IdentityFingerprint', 5),
  destinationKey: fixedBytes(102, 1),
  user: 'any',
  basicUserKey: 'any',
  notBefore: sampleTime,
  notAfter: sampleTime + 30 * day,
  onward: [{ basicUserKey: fixedId('TpmName', 6), nonce: fixedBytes(16, 7), signature: fixedBytes(64, 8) }],
  approval: [{ basicUserKey: 'any', signature: fixedBytes(64, 9) }],
  move: [],
  historyHead: fixedBytes(32, 10),
};

/** A grant with every list filled. */
export const sampleNarrowGrant: Grant = {
  ...sampleGrant,
  source: [fixedId('TpmName', 11), fixedId('TpmName', 12)].sort(),
  user: ['sid:S-1-5-21-1-2-3-1001', 'uid:1000@0123456789abcdef0123', 'upn:żaneta@contoso.example'],
  basicUserKey: [fixedId('TpmName', 6), fixedId('TpmName', 13)].sort(),
  onward: 'no',
  approval: [{ basicUserKey: fixedId('TpmName', 6), signature: fixedBytes(64, 14) }],
  move: [{ basicUserKey: fixedId('TpmName', 13), nonce: fixedBytes(16, 15), signature: fixedBytes(64, 16) }],
  historyHead: new Uint8Array(),
};

export const sampleSigner = fixedId('AuthorityFingerprint', 17);
export const sampleSignature = fixedBytes(64, 18);

export const sampleRevocationList: RevocationList = {
  authority: fixedBytes(88, 4),
  rehearsal: false,
  number: 7,
  issued: sampleTime,
  revoked: [
    { serial: toId('GrantSerial', '00112233445566778899aabbccddeeff'), reason: 'laptop lost in Kraków' },
    { serial: toId('GrantSerial', 'ff112233445566778899aabbccddeeff'), reason: '' },
  ],
};

export const sampleAuthorityFile: AuthorityFile = {
  rehearsal: false,
  publicKey: fixedBytes(88, 4),
  slots: [
    {
      kind: 'owner-password',
      salt: fixedBytes(16, 19),
      nonce12: fixedBytes(12, 20),
      sealed: fixedBytes(48, 21),
    },
    { kind: 'backup', nonce12: fixedBytes(12, 22), sealed: fixedBytes(48, 23) },
  ],
};

export const sampleRegistration: Registration = {
  account: sampleAccount,
  rehearsal: true,
  basicUserKey: fixedBytes(104, 24),
  nonce: fixedBytes(16, 25),
  rootAuthority: fixedBytes(88, 26),
  grants: [fixedBytes(1300, 27), fixedBytes(525, 28), fixedBytes(1, 29)],
};

export const samplePlatform: PlatformSettings = {
  computer: 'PC-Ä',
  chip: 'software',
  rehearsal: true,
  storageKey: fixedBytes(102, 1),
  authorityKey: fixedBytes(88, 2),
  authority: 'local',
  created: sampleTime,
};

export const sampleReceipt: Receipt = {
  archive: fixedId('ArchiveId', 30),
  imported: sampleTime,
  rehearsal: true,
  sourceComputer: 'PC-A',
  sourceKey: fixedId('TpmName', 31),
  sourceAccount: sampleAccount.id,
  destinationComputer: 'PC-B',
  destinationKey: fixedId('TpmName', 32),
  account: { id: 'uid:1000@0123456789abcdef0123', name: 'anna' },
  basicUserKey: fixedId('TpmName', 33),
  case: 'merge',
  rekey: false,
  generation: 8,
  grant: fixedId('GrantSerial', 3),
  counts: { Add: 2, Activate: 1, Retain: 1, Unchanged: 3, SetAside: 0, Skip: 1 },
  historyHead: fixedBytes(32, 34),
};

export const sampleEndorsement: Endorsement = { key: fixedBytes(122, 80), certificate: fixedBytes(900, 81) };

export const sampleChallenge: Challenge = {
  authority: fixedBytes(88, 4),
  rehearsal: true,
  destinationComputer: 'PC-B',
  destinationKey: fixedBytes(102, 1),
  endorsementKey: sampleEndorsement.key,
  created: sampleTime,
  commitment: fixedBytes(32, 82),
  credentialBlob: fixedBytes(68, 83),
  encryptedSecret: fixedBytes(256, 84),
};

export const sampleAttestation: Attestation = {
  challenge: fixedBytes(1400, 85),
  answer: fixedBytes(32, 86),
  created: sampleTime,
};

const sum = (seed: number, sizeBytes: number): { sizeBytes: number; sha256: Uint8Array } => ({
  sizeBytes,
  sha256: fixedBytes(32, seed),
});

export const sampleManifest: Manifest = {
  archive: fixedId('ArchiveId', 30),
  created: sampleTime,
  rehearsal: true,
  sourceComputer: 'PC-A',
  sourceFingerprint: fixedId('IdentityFingerprint', 31),
  sourceKey: fixedId('TpmName', 32),
  account: { id: 'uid:1000@0123456789abcdef0123', name: 'anna' },
  destinationComputer: 'PC-B',
  destinationKey: fixedId('TpmName', 33),
  basicUserKey: fixedId('TpmName', 34),
  nonce: fixedBytes(16, 35),
  generation: 12,
  credentials: 3,
  activeFeatures: 2,
  passwordSalt: fixedBytes(16, 36),
  transferCode: false,
  replaces: [],
  entries: {
    grants: sum(37, 900),
    'buk.public': sum(38, 104),
    'buk.duplicate': sum(39, 200),
    'buk.seed': sum(40, 102),
    'vault-key.public': sum(41, 50),
    'vault-key.private': sum(42, 180),
  },
  environmentBytes: 4096,
  historyHead: fixedBytes(32, 43),
};

/** Entries of an archive with the right names and nothing meaningful in them. */
export const sampleParts: ArchiveParts = {
  manifest: fixedBytes(900, 44),
  grants: fixedBytes(900, 45),
  'buk.public': fixedBytes(104, 46),
  'buk.duplicate': fixedBytes(200, 47),
  'buk.seed': fixedBytes(102, 48),
  'vault-key.public': fixedBytes(50, 49),
  'vault-key.private': fixedBytes(180, 50),
  environment: fixedBytes(4096, 51),
  sums: fixedBytes(150, 52),
};

/** A credential with a certificate and one issuer; `seed` makes it another. */
export function sampleCredential(seed: number): Credential {
  return {
    id: fixedId('CredentialId', seed),
    label: `Anna's e-mail № ${String(seed)}`,
    publicKey: fixedBytes(91, seed + 1),
    certificate: fixedBytes(700, seed + 2),
    chain: [fixedBytes(600, seed + 3)],
    request: undefined,
    origin: 'pfx',
    added: sampleTime,
    protection: 'vault',
  };
}

/** Two credentials, one of them waiting for its certificate, with keys of no meaning. */
export function sampleEnvironment(): Environment {
  const pending: Credential = {
    ...sampleCredential(61),
    certificate: undefined,
    chain: [],
    request: fixedBytes(300, 62),
    origin: 'new',
  };
  const credentials = [sampleCredential(60), pending].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    publicPart: {
      credentials,
      features: { SecureEmail: fixedId('CredentialId', 60), SecureDrive: fixedId('CredentialId', 60) },
      proposed: { Efs: fixedId('CredentialId', 60) },
      rootAuthority: fixedBytes(88, 63),
      grants: [fixedBytes(900, 64), fixedBytes(901, 65)],
    },
    privatePart: {
      keys: new Map(credentials.map(({ id }) => [id, SecretBytes.copyOf(fixedBytes(138, 66))])),
      importedArchives: [
        { archive: fixedId('ArchiveId', 67), source: fixedId('TpmName', 68), generation: 9 },
      ],
      revocationNumbers: [{ authority: sampleSigner, number: 4 }],
      tombstones: [fixedId('CredentialId', 69)],
      replaces: [fixedId('TpmName', 70)],
    },
  };
}

export const sampleHeader: GenerationHeader = {
  platformId: '0123456789abcdef0123',
  generation: 7,
  parent: 6,
  passwordSalt: fixedBytes(16, 71),
  keySalt: fixedBytes(16, 72),
  basicUserKey: fixedBytes(104, 73),
  nonce: fixedBytes(16, 74),
  basicUserKeyPrivate: fixedBytes(180, 75),
  vaultKey: { public: fixedBytes(50, 76), private: fixedBytes(180, 77) },
};
