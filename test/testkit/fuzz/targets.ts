/**
 * Every reader of bytes that come from outside, and the files from which its cases are made: the codecs of all formats, the
 * store's state files, a line of the history, ZIP structure, certificates, private keys, PFX files, and the TPM structures.
 * Leaves out the loop that reads requests (its tests are in `test/faults`).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeStorageKey } from '../../../core/src/adapters/chip-software/storage-key-file.ts';
import { encodeStorageKeyV1 } from '../../../core/src/adapters/chip-software/storage-key-v1.ts';
import { encodeStorageKeyV2 } from '../../../core/src/adapters/chip-software/storage-key-v2.ts';
import { decodeLine, encodeLine, noLine } from '../../../core/src/adapters/store-file/history-line.ts';
import {
  decodeInstalled,
  decodeOwnerAttempts,
  decodePasswordAttempts,
  decodePointer,
  encodeInstalled,
  encodeOwnerAttempts,
  encodePasswordAttempts,
  encodePointer,
} from '../../../core/src/adapters/store-file/state-files.ts';
import { equal, fromBase64, fromUtf8, plain, toHex, utf8 } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { decodeCertificateFile } from '../../../core/src/crypto/certificate-file.ts';
import { sha256 } from '../../../core/src/crypto/hash.ts';
import { openPkcs12 } from '../../../core/src/crypto/pkcs12.ts';
import { readPrivateKey } from '../../../core/src/crypto/private-key.ts';
import { describeCertificate } from '../../../core/src/crypto/x509.ts';
import { fail, hasCode } from '../../../core/src/domain/error.ts';
import { toId } from '../../../core/src/domain/ids.ts';
import { formatTransferCode, parseTransferCode } from '../../../core/src/domain/transfer-code.ts';
import { decodePolicy, encodePolicy } from '../../../core/src/format/policy-v1.ts';
import { checkZipStructure } from '../../../core/src/format/zip-structure.ts';
import { unwrapDuplicate } from '../../../core/src/tpm2/duplication.ts';
import { unwrapChild, wrapChild } from '../../../core/src/tpm2/protection.ts';
import { decodeSensitive, encodeSensitive, Sensitive } from '../../../core/src/tpm2/sensitive.ts';
import { decodePublic, encodePublic } from '../../../core/src/tpm2/structures.ts';
import { codecs, type CodecName } from '../codecs.ts';
import { fixedBytes, fixedId, sampleTime } from '../format-samples.ts';
import { validFiles } from '../format-files.ts';
import { protectionOf } from '../machine-protection.ts';
import { seeded, seededSecret } from '../vectors/deterministic.ts';
import { decodeVector } from '../vectors/vector-file.ts';
import { annasKeys, basicUserKey, makeArchive, platformA, platformB } from '../vectors/world.ts';

/** `refused`: as the reader's other callers are told, by undefined. Bytes: encoded again, they must be those that were read. */
export type Read = Uint8Array | 'accepted' | 'refused';

export interface FuzzTarget {
  readonly name: string;
  /** Valid ones first, then some that are refused. */
  readonly seeds: readonly Uint8Array[];
  /** Reads; every refusal but `refused` is an error of the catalogue. */
  readonly read: (bytes: Uint8Array) => Read | Promise<Read>;
}

const protection = protectionOf('PC-A');
const vectorFolder = join(import.meta.dirname, '../../vectors');
const seedFolder = join(import.meta.dirname, 'seeds');

/** Bodies of all vectors by what reads them; the small ones, since each case copies its seed. */
function vectorBodies(): ReadonlyMap<string, readonly Uint8Array[]> {
  const bodies = new Map<string, Uint8Array[]>();
  for (const file of readdirSync(vectorFolder)) {
    if (!file.endsWith('.vector')) continue;
    const { headers, body } = decodeVector(file, new Uint8Array(readFileSync(join(vectorFolder, file))));
    const read = headers.get('read') ?? '';
    if (body.length <= 64 * 1024) bodies.set(read, [...(bodies.get(read) ?? []), body]);
  }
  return bodies;
}

const bodies = vectorBodies();

/** Files that other programs made (OpenSSL 3), by their names. */
function foreign(...names: readonly string[]): readonly Uint8Array[] {
  return names.map((name) => {
    const text = readFileSync(join(seedFolder, `${name}.b64`), 'utf8').replaceAll('\n', '');
    const bytes = fromBase64(text);
    if (bytes === undefined) throw new Error(`${name} is no base64`);
    return bytes;
  });
}

const formats = (Object.keys(codecs) as CodecName[]).map((name): FuzzTarget => ({
  name,
  seeds: [...validFiles[name], ...(bodies.get(name) ?? [])],
  read: (bytes) => codecs[name](bytes, 'x'),
}));

const salt = 'ab'.repeat(16);
const stateFiles: readonly FuzzTarget[] = [
  {
    name: 'environment-pointer',
    seeds: [
      encodePointer({ storageKey: platformA.name, epoch: 3, generation: 12, returned: 2 }),
      encodePointer({ storageKey: platformA.name, epoch: 1, generation: undefined }),
    ],
    read: (bytes) => encodePointer(decodePointer(bytes, 'x')),
  },
  {
    name: 'installed',
    seeds: [
      encodeInstalled(
        new Map([
          [fixedId('CredentialId', 1), 'AB'.repeat(20)],
          [fixedId('CredentialId', 2), '01'.repeat(20)],
        ]),
      ),
    ],
    read: (bytes) => encodeInstalled(decodeInstalled(bytes, 'x')),
  },
  {
    name: 'password-attempts',
    seeds: [encodePasswordAttempts(new Map([[`environment-${salt}`, { failed: 3, last: sampleTime }]]))],
    read: (bytes) => encodePasswordAttempts(decodePasswordAttempts(bytes, 'x')),
  },
  {
    name: 'owner-attempts',
    seeds: [encodeOwnerAttempts({ failed: 2, last: sampleTime })],
    read: (bytes) => encodeOwnerAttempts(decodeOwnerAttempts(bytes, 'x')),
  },
  {
    name: 'policy',
    seeds: bodies.get('policy') ?? [],
    read: (bytes) => {
      // Two texts may mean the same policy: what was read, written and read again must be the same.
      const once = encodePolicy(decodePolicy(bytes, 'x'));
      if (!equal(encodePolicy(decodePolicy(once, 'x')), once))
        throw new Error('another policy the second time');
      return 'accepted';
    },
  },
  {
    name: 'storage-key',
    seeds: [
      encodeStorageKeyV1(platformA.storageKey).reveal.slice(),
      encodeStorageKeyV1(platformB.storageKey).reveal.slice(),
    ],
    read: (bytes) => {
      using content = SecretBytes.copyOf(bytes);
      using key = decodeStorageKey(content, 'x');
      return encodeStorageKeyV1(key).reveal;
    },
  },
  {
    name: 'storage-key-v2',
    seeds: [platformA, platformB].map(({ storageKey }) => encodeStorageKeyV2(storageKey, protection)),
    read: (bytes) => {
      using content = SecretBytes.copyOf(bytes);
      try {
        using key = decodeStorageKey(content, 'x', protection);
        return encodeStorageKeyV2(key, protection);
      } catch (error) {
        // The answer of the computer itself, which is no refusal of the decoder's.
        if (hasCode(error, 'StorageKeyNotOpened')) return 'refused';
        throw error;
      }
    },
  },
  {
    name: 'history-line',
    seeds: [1, 2].map((number) =>
      encodeLine(
        'user',
        {
          time: sampleTime,
          operation: 'export',
          outcome: 'ok',
          account: 'Jörg "J" \u2028',
          facts: { archive: salt, generation: '7', __proto__x: '' },
        },
        number,
        noLine,
      ),
    ),
    read: (bytes) => {
      const line = decodeLine(sha256, 'user', bytes, 'x', 1);
      return encodeLine('user', line, line.number, line.previous);
    },
  },
  {
    name: 'transfer-code',
    seeds: [utf8(formatTransferCode(seeded('code', 10))), utf8('abcd-efgh-jkmn-pqrs'), utf8('0 O 1 I L')],
    read: (bytes) => {
      const code = parseTransferCode(fromUtf8(bytes) ?? '');
      if (code === undefined) return 'refused';
      const again = parseTransferCode(formatTransferCode(code));
      if (again === undefined || !equal(again, code)) throw new Error('another code the second time');
      return 'accepted';
    },
  },
];

const foreignFiles: readonly FuzzTarget[] = [
  {
    name: 'zip-structure',
    seeds: [...validFiles.archive, ...(bodies.get('archive') ?? [])],
    read: (bytes) => (checkZipStructure(bytes, 'x').length === 9 ? 'accepted' : 'refused'),
  },
  {
    name: 'certificate-file',
    seeds: foreign(
      'certificate-rsa',
      'certificate-ec',
      'certificates-pem',
      'certificates-pkcs7',
      'certificates-pkcs7-pem',
    ),
    read: (bytes) => {
      const { certificate } = decodeCertificateFile(bytes, 'x');
      describeCertificate(certificate, 'x');
      return 'accepted';
    },
  },
  {
    name: 'certificate',
    seeds: foreign('certificate-rsa', 'certificate-ec'),
    read: (bytes) => {
      describeCertificate(bytes, 'x');
      return 'accepted';
    },
  },
  {
    name: 'private-key',
    seeds: foreign('private-key-ec', 'private-key-rsa'),
    read: (bytes) => {
      using pkcs8 = SecretBytes.copyOf(bytes);
      readPrivateKey(pkcs8, 'x').pkcs8.dispose();
      return 'accepted';
    },
  },
  {
    name: 'pfx',
    seeds: foreign('pfx-plain', 'pfx-plain', 'pfx-modern', 'pfx-legacy'),
    read: (bytes) => {
      using password = new SecretBytes(utf8('fuzz'));
      for (const { privateKey } of openPkcs12(bytes, password, 'x')) privateKey.dispose();
      return 'accepted';
    },
  },
];

const parts = makeArchive();
const archiveId = toId('ArchiveId', toHex(seeded('archive', 16)));
const parentSeed = seededSecret('fuzz parent');
const sensitive = (): Sensitive =>
  new Sensitive('ECC', seededSecret('auth'), seededSecret('seed'), seededSecret('scalar'));
const sealed = (): Sensitive =>
  new Sensitive('KEYEDHASH', seededSecret('auth'), seededSecret('seed'), seededSecret('data', 20));
/** As the destination's chip takes a key. Every byte is authenticated: `only` is the one that opens. */
function unwrapped(handedOver: { duplicate: Uint8Array; seed: Uint8Array }, only: Uint8Array): Read {
  using innerKey = annasKeys.innerKey(archiveId, undefined);
  const opened = unwrapDuplicate(platformB.storageKey, basicUserKey, handedOver, innerKey);
  return opened.kind === 'opened' ? only : 'refused';
}

const structures: readonly FuzzTarget[] = [
  {
    name: 'tpm-public',
    seeds: [
      basicUserKey,
      platformA.identity.storageKey,
      platformA.identity.authorityKey,
      parts['vault-key.public'],
    ],
    read: (bytes) => {
      const area = decodePublic(bytes);
      return area === undefined ? 'refused' : encodePublic(area);
    },
  },
  {
    name: 'tpm-sensitive',
    seeds: [sensitive(), sealed()].map((one) => plain(encodeSensitive(one).reveal)),
    read: (bytes) => {
      using content = SecretBytes.copyOf(bytes);
      const area = decodeSensitive(content);
      if (area === undefined) return 'refused';
      // A TPM may leave out leading zeros: written again and read, it must be the same area, not the same bytes.
      using once = encodeSensitive(area);
      const again = decodeSensitive(once);
      if (again === undefined || !equal(encodeSensitive(again).reveal, once.reveal))
        throw new Error('another area the second time');
      return 'accepted';
    },
  },
  {
    name: 'tpm-child',
    seeds: [wrapChild(parentSeed, basicUserKey, sensitive(), fixedBytes(16, 1))],
    read: (bytes) => {
      if (unwrapChild(parentSeed, basicUserKey, bytes) === undefined) return 'refused';
      // Every byte is authenticated: only the blob itself opens.
      return wrapChild(parentSeed, basicUserKey, sensitive(), fixedBytes(16, 1));
    },
  },
  {
    name: 'tpm-duplicate',
    seeds: [parts['buk.duplicate']],
    read: (duplicate) => unwrapped({ duplicate, seed: parts['buk.seed'] }, parts['buk.duplicate']),
  },
  {
    name: 'tpm-seed',
    seeds: [parts['buk.seed']],
    read: (seed) => unwrapped({ duplicate: parts['buk.duplicate'], seed }, parts['buk.seed']),
  },
];

/** Readers that break the law, by which the tests see that a run finds it. They run only where they are named. */
export const brokenTargets: readonly FuzzTarget[] = [
  {
    name: 'broken-error',
    seeds: [utf8('a text')],
    read: (bytes) => {
      if (bytes.length < 7) throw new RangeError('not of the catalogue');
      return bytes;
    },
  },
  { name: 'broken-form', seeds: [utf8('a text')], read: (bytes) => bytes.map((byte) => byte & 0x7f) },
  {
    name: 'broken-words',
    seeds: [utf8('a text')],
    read: (bytes) => {
      throw fail('PfxMalformed', {
        path: 'x',
        problem: `it begins with ${fromUtf8(bytes.subarray(0, 1)) ?? ''}`,
      });
    },
  },
  {
    name: 'broken-time',
    seeds: [utf8('a text')],
    read: (bytes) => {
      while (bytes.length < 6);
      return bytes;
    },
  },
  {
    name: 'broken-memory',
    seeds: [utf8('a text')],
    read: (bytes) => {
      const kept: number[][] = [];
      while (bytes.length < 6) kept.push(new Array<number>(1_000_000).fill(kept.length));
      return bytes;
    },
  },
];

export const fuzzTargets: readonly FuzzTarget[] = [...formats, ...stateFiles, ...foreignFiles, ...structures];

/** Seeds of all targets, of which pieces are put into others. */
export const allSeeds: readonly Uint8Array[] = fuzzTargets.flatMap(({ seeds }) => seeds.slice(0, 4));
