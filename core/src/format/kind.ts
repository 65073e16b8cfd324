/**
 * Says what a file is from its first bytes, so that the wrong file, a file mangled by an editor or a redirection, and
 * a file of a newer version are named instead of being called malformed (docs/spec/text-format.md, "Recognising
 * files"). Leaves out whether the rest of the file is valid: that is each decoder's.
 */
import { fromUtf8 } from '../bytes/bytes.ts';
import type { ErrorCode } from '../domain/error-catalogue.ts';
import { fail } from '../domain/error.ts';

interface KindRules {
  /** How a message names such a file. */
  readonly what: string;
  readonly malformed: ErrorCode;
  readonly maximumBytes: number;
  /**
   * `file`: people choose it, so another kind is `WrongFileKind`. `part`: it lies inside another file or at a fixed
   * place, so anything unexpected there is its malformed code. `store`: likewise, and a newer one is `StoreNewer`.
   */
  readonly place: 'file' | 'part' | 'store';
}

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** Kinds whose first line is `SPMigration <kind> v<version>`, with their bounds. All are at version 1. */
const kindRules = {
  'archive-environment': {
    what: 'an opened environment',
    malformed: 'ArchiveMalformed',
    maximumBytes: 64 * mebibyte,
    place: 'part',
  },
  attestation: {
    what: 'an attestation',
    malformed: 'AttestationMalformed',
    maximumBytes: 32 * kibibyte,
    place: 'file',
  },
  authority: {
    what: 'an authority file',
    malformed: 'AuthorityMalformed',
    maximumBytes: 16 * kibibyte,
    place: 'file',
  },
  'authority-public': {
    what: 'a public authority file',
    malformed: 'AuthorityMalformed',
    maximumBytes: 16 * kibibyte,
    place: 'file',
  },
  challenge: {
    what: 'a challenge',
    malformed: 'ChallengeMalformed',
    maximumBytes: 16 * kibibyte,
    place: 'file',
  },
  'environment-pointer': {
    what: 'the pointer of an environment store',
    malformed: 'EnvironmentDamaged',
    maximumBytes: kibibyte,
    place: 'store',
  },
  generation: {
    what: 'a generation of an environment',
    malformed: 'EnvironmentDamaged',
    maximumBytes: 64 * mebibyte,
    place: 'store',
  },
  grant: { what: 'a grant', malformed: 'GrantMalformed', maximumBytes: 4 * mebibyte, place: 'file' },
  grants: {
    what: 'a chain of grants',
    malformed: 'ArchiveMalformed',
    maximumBytes: 5 * 4 * mebibyte,
    place: 'part',
  },
  identity: { what: 'an identity', malformed: 'IdentityMalformed', maximumBytes: mebibyte, place: 'file' },
  installed: {
    what: 'a record of installed certificates',
    malformed: 'EnvironmentDamaged',
    maximumBytes: 128 * kibibyte,
    place: 'store',
  },
  manifest: {
    what: 'a manifest',
    malformed: 'ManifestMalformed',
    maximumBytes: 128 * kibibyte,
    place: 'part',
  },
  'owner-password-backup': {
    what: 'an owner-password backup',
    malformed: 'AuthorityMalformed',
    maximumBytes: 16 * kibibyte,
    place: 'file',
  },
  'owner-attempts': {
    what: 'a record of Owner Password tries',
    malformed: 'PlatformDamaged',
    maximumBytes: kibibyte,
    place: 'store',
  },
  'password-attempts': {
    what: 'a record of password tries',
    malformed: 'EnvironmentDamaged',
    maximumBytes: 16 * kibibyte,
    place: 'store',
  },
  platform: {
    what: 'platform settings',
    malformed: 'PlatformDamaged',
    maximumBytes: 16 * kibibyte,
    place: 'store',
  },
  policy: { what: 'a policy', malformed: 'PolicyMalformed', maximumBytes: mebibyte, place: 'part' },
  receipt: {
    what: 'a receipt',
    malformed: 'ReceiptMalformed',
    maximumBytes: 16 * kibibyte,
    place: 'file',
  },
  registration: {
    what: 'a registration',
    malformed: 'RegistrationMalformed',
    maximumBytes: 32 * mebibyte,
    place: 'file',
  },
  'revocation-list': {
    what: 'a revocation list',
    malformed: 'RevocationListMalformed',
    maximumBytes: 2 * mebibyte,
    place: 'file',
  },
  sums: { what: 'a list of sums', malformed: 'ArchiveMalformed', maximumBytes: kibibyte, place: 'part' },
} as const satisfies Record<string, KindRules>;

export type OwnKind = keyof typeof kindRules;

/** What else a file may turn out to be. */
const otherKinds = {
  archive: 'an archive',
  zip: 'a ZIP file that is not an archive of SPMigration',
  pfx: 'a PKCS#12 (PFX) file',
  certificate: 'a certificate',
  pem: 'a PEM file',
  newer: 'a file of a kind that this version of SPMigration does not know',
  empty: 'an empty file',
  unknown: 'a file of an unknown kind',
} as const;

export type FileKind = OwnKind | keyof typeof otherKinds;
export type Mangling = 'bom' | 'crlf' | 'utf-16';

export interface RecognisedFile {
  readonly kind: FileKind;
  /** Of our own kinds and `newer`. */
  readonly version: number | undefined;
  readonly mangled: Mangling | undefined;
}

const knownVersion = 1;
const headBytes = 128;

/** The first line of files of this kind, without its line feed. */
export function kindLine(kind: OwnKind): string {
  return `SPMigration ${kind} v${String(knownVersion)}`;
}

/** Upper bound of a file of this kind in bytes: give it to whoever reads the file. */
export function maximumBytesOf(kind: OwnKind): number {
  return kindRules[kind].maximumBytes;
}

/** The code that says "not a valid one of this kind"; its details are `path` and `problem`. */
export function malformedCodeOf(kind: OwnKind): ErrorCode {
  return kindRules[kind].malformed;
}

/** A kind in words, with its article. */
export function describeKind(kind: FileKind): string {
  return isOwnKind(kind) ? kindRules[kind].what : otherKinds[kind];
}

/** What the file that begins with `bytes` is. Looks at the first 128 bytes only and never fails. */
export function recogniseKind(bytes: Uint8Array): RecognisedFile {
  const head = bytes.subarray(0, headBytes);
  if (head.length === 0) return { kind: 'empty', version: undefined, mangled: undefined };
  const wide = narrowUtf16(head);
  if (wide !== undefined) return { ...recogniseHead(wide), mangled: 'utf-16' };
  const hasBom = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  if (hasBom) return { ...recogniseHead(head.subarray(3)), mangled: 'bom' };
  return recogniseHead(head);
}

/**
 * Demands that `bytes` begin as a file of `kind` in the version that this program knows, and keep its bound. `path` is
 * for messages. `WrongFileKind`, `FileMangled`, `VersionUnsupported`, `StoreNewer`, `LimitExceeded` or the kind's own
 * malformed code.
 */
export function expectKind(bytes: Uint8Array, kind: OwnKind | 'archive', path: string): void {
  const found = recogniseKind(bytes);
  const rules: KindRules | undefined = kind === 'archive' ? undefined : kindRules[kind];
  if (rules !== undefined && rules.place !== 'file') expectPart(found, kind, rules, path);
  else expectFile(found, kind, path);
  if (rules !== undefined && bytes.length > rules.maximumBytes) {
    throw fail('LimitExceeded', { what: path, actual: bytes.length, maximum: rules.maximumBytes });
  }
}

/**
 * `WrongFileKind` or `FileMangled` where `bytes` are recognised as something else than the foreign format that is needed.
 * What is not recognised is left to that format's own parser: a certificate may also stand in PEM or PKCS#7.
 */
export function refuseOtherKinds(bytes: Uint8Array, kind: 'pfx' | 'certificate', path: string): void {
  const found = recogniseKind(bytes);
  const other = found.kind !== kind && found.kind !== 'unknown';
  if (other && !(kind === 'certificate' && found.kind === 'pem')) expectFile(found, kind, path);
  if (kind === 'pfx' && found.mangled !== undefined) throw mangledError(found.mangled, path);
}

function expectFile(found: RecognisedFile, kind: FileKind, path: string): void {
  if (found.kind !== kind) {
    // A mangled binary file has no recognisable kind left: "altered on its way" helps more than "unknown".
    if (found.kind === 'unknown' && found.mangled !== undefined) throw mangledError(found.mangled, path);
    throw fail('WrongFileKind', { path, actual: describeKind(found.kind), expected: describeKind(kind) });
  }
  if (found.mangled !== undefined) throw mangledError(found.mangled, path);
  if (found.version !== undefined && found.version !== knownVersion)
    throw versionError(found.version, kind, path);
}

function expectPart(found: RecognisedFile, kind: FileKind, rules: KindRules, path: string): void {
  if (found.kind !== kind || found.mangled !== undefined) {
    const altered = found.mangled === undefined ? '' : ` (${manglings[found.mangled]})`;
    throw fail(rules.malformed, {
      path,
      problem: `${describeKind(found.kind)} stands in place of ${rules.what}${altered}`,
    });
  }
  if (found.version === undefined || found.version === knownVersion) return;
  if (rules.place === 'store') throw fail('StoreNewer', { path, version: found.version });
  throw versionError(found.version, kind, path);
}

function versionError(version: number, kind: FileKind, path: string): Error {
  return fail('VersionUnsupported', { path, kind: describeKind(kind), version, known: knownVersion });
}

const manglings: Readonly<Record<Mangling, string>> = {
  bom: 'a byte order mark was put before it, as text editors do',
  crlf: 'its line ends were changed to CR LF',
  'utf-16': 'it was converted to UTF-16, as a redirection in Windows PowerShell does',
};

function mangledError(mangling: Mangling, path: string): Error {
  return fail('FileMangled', { path, problem: manglings[mangling] });
}

function isOwnKind(kind: string): kind is OwnKind {
  return Object.hasOwn(kindRules, kind);
}

function recogniseHead(head: Uint8Array): RecognisedFile {
  const kind = binaryKind(head);
  return kind === undefined ? textKind(head) : { kind, version: undefined, mangled: undefined };
}

/** `SPMigration <kind> v<version>` at the start, whatever follows. */
function textKind(head: Uint8Array): RecognisedFile {
  let text = '';
  for (const byte of head.subarray(0, 80)) text += String.fromCharCode(byte);
  if (text.startsWith('-----BEGIN ')) return { kind: 'pem', version: undefined, mangled: undefined };
  const match = /^SPMigration ([a-z][a-z-]{0,40}) v([1-9][0-9]{0,8})(\r?)\n/.exec(text);
  if (match === null) return { kind: 'unknown', version: undefined, mangled: undefined };
  const [, name = '', version = '', carriageReturn = ''] = match;
  return {
    kind: isOwnKind(name) ? name : 'newer',
    version: Number(version),
    mangled: carriageReturn === '' ? undefined : 'crlf',
  };
}

/** ZIP, PKCS#12 and certificates by their first bytes. */
function binaryKind(head: Uint8Array): FileKind | undefined {
  if (startsWith(head, [0x50, 0x4b, 0x03, 0x04])) {
    return fromUtf8(head.subarray(30, 38)) === 'manifest' ? 'archive' : 'zip';
  }
  if (startsWith(head, [0x50, 0x4b, 0x05, 0x06])) return 'zip';
  if (head[0] !== 0x30) return undefined;
  const content = head.subarray(derContentOffset(head));
  // PFX ::= SEQUENCE { version INTEGER {v3(3)}, … }, RFC 7292, section 4.
  if (startsWith(content, [0x02, 0x01, 0x03])) return 'pfx';
  // Certificate ::= SEQUENCE { tbsCertificate SEQUENCE { version [0], … } }, RFC 5280, section 4.1.
  if (content[0] === 0x30 && content[derContentOffset(content)] === 0xa0) return 'certificate';
  return undefined;
}

/** Where the content of the BER element at the start of `bytes` begins. */
function derContentOffset(bytes: Uint8Array): number {
  const length = bytes[1] ?? 0;
  return length > 0x80 ? 2 + (length & 0x7f) : 2;
}

/** The low bytes of UTF-16 text in either order, with or without BOM; undefined where it is not that. */
function narrowUtf16(head: Uint8Array): Uint8Array | undefined {
  const [first, second, third, fourth] = head;
  const hasBom = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  const bare =
    (second === 0 && fourth === 0 && first === 0x53) || (first === 0 && third === 0 && second === 0x53);
  if (!hasBom && !bare) return undefined;
  const littleEndian = hasBom ? first === 0xff : second === 0;
  const start = (hasBom ? 2 : 0) + (littleEndian ? 0 : 1);
  return head.filter((_, index) => index >= start && (index - start) % 2 === 0);
}

function startsWith(bytes: Uint8Array, prefix: readonly number[]): boolean {
  return prefix.every((byte, index) => bytes[index] === byte);
}
