/**
 * The small text files of a store: the pointer `current`, the record of installed certificates, the counters of wrong
 * passwords (docs/spec/environment-store.md, "State files"). Canonical like every text kind; a newer version is
 * `StoreNewer`, anything else that cannot be read `EnvironmentDamaged` (in the platform's folder `PlatformDamaged`).
 */
import { parseId, type CredentialId, type TpmName } from '../../domain/ids.ts';
import { toHex } from '../../bytes/bytes.ts';
import { count, id, instant, pair } from '../../format/forms.ts';
import { TextReader, TextWriter, type ValueForm } from '../../format/text.ts';
import type { PasswordAttempts, TriedPassword } from '../../ports/environment-store.ts';

/** What `current` says. Without a generation there is no environment (any more), and the next one begins this epoch. */
export interface Pointer {
  /** Name of the storage key that the folder belongs to. */
  readonly storageKey: TpmName;
  readonly epoch: number;
  readonly generation: number | undefined;
  /** The epoch that came back from quarantine last. A folder of that number in quarantine means nothing any more. */
  readonly returned?: number | undefined;
}

/** Largest epoch or generation number: six digits are written, more are read. */
export const largestNumber = 999_999_999;

const positive = count(1, largestNumber);

export function encodePointer(pointer: Pointer): Uint8Array {
  return new TextWriter('environment-pointer')
    .field('storage-key', id('TpmName'), pointer.storageKey)
    .field('epoch', positive, pointer.epoch)
    .optional('generation', positive, pointer.generation)
    .optional('returned', positive, pointer.returned)
    .done();
}

export function decodePointer(bytes: Uint8Array, path: string): Pointer {
  const reader = new TextReader(bytes, 'environment-pointer', path);
  const pointer = {
    storageKey: reader.field('storage-key', id('TpmName')),
    epoch: reader.field('epoch', positive),
    generation: reader.optional('generation', positive),
    returned: reader.optional('returned', positive),
  };
  reader.end();
  if (pointer.returned !== undefined && pointer.returned >= pointer.epoch) {
    throw reader.malformed('an epoch came back that is not before the present one');
  }
  return pointer;
}

const thumbprint: ValueForm<string> = {
  what: 'a thumbprint of 40 upper-case hex digits',
  write: (value) => value,
  read: (text) => (/^[0-9A-F]{40}$/.test(text) ? text : undefined),
};

const installed = pair(id('CredentialId'), thumbprint);

/** Thumbprints by credential id. */
export function encodeInstalled(thumbprints: ReadonlyMap<string, string>): Uint8Array {
  const lines = [...thumbprints].map(([credential, print]) => [asCredential(credential), print] as const);
  return new TextWriter('installed').list('installed', installed, lines).done();
}

export function decodeInstalled(bytes: Uint8Array, path: string): ReadonlyMap<string, string> {
  const reader = new TextReader(bytes, 'installed', path);
  const lines = reader.list('installed', installed);
  reader.end();
  return new Map(lines);
}

function asCredential(text: string): CredentialId {
  const credential = parseId('CredentialId', text);
  if (credential === undefined) throw new RangeError('not a CredentialId');
  return credential;
}

export const noAttempts: PasswordAttempts = { failed: 0, last: 0 };

/** More passwords than a person meets; 100 lines fit into the kind's bound. */
const mostPasswords = 100;

/** Failed tries by password. The key is what the file says of it (`keyOfPassword`). */
export type AttemptsByPassword = ReadonlyMap<string, PasswordAttempts>;

/** `environment-` or `archive-` and the password's salt in hex. */
export function keyOfPassword({ of, passwordSalt }: TriedPassword): string {
  return `${of}-${toHex(passwordSalt)}`;
}

const passwordKey: ValueForm<string> = {
  what: 'environment- or archive- and 32 lower-case hex digits',
  write: (key) => key,
  read: (text) => (/^(environment|archive)-[0-9a-f]{32}$/.test(text) ? text : undefined),
};

const attemptsForm = pair(passwordKey, pair(count(1, largestNumber), instant));

/** Where there are too many, those with the fewest failures go, of these the oldest: others cannot push a guess out. */
export function encodePasswordAttempts(attempts: AttemptsByPassword): Uint8Array {
  const lines = [...attempts]
    .filter(([key, { failed }]) => failed > 0 && key !== earlierAttempts)
    .sort(([, a], [, b]) => b.failed - a.failed || b.last - a.last)
    .slice(0, mostPasswords)
    .map(([key, { failed, last }]) => [key, [failed, last]] as const);
  return new TextWriter('password-attempts').list('tries', attemptsForm, lines).done();
}

/** Counts of before there was one for each password: they hold for every password until the next is written. */
export const earlierAttempts = 'earlier';

export function decodePasswordAttempts(bytes: Uint8Array, path: string): AttemptsByPassword {
  const reader = new TextReader(bytes, 'password-attempts', path);
  const failed = reader.optional('failed', count(0, largestNumber));
  if (failed !== undefined) {
    const last = reader.field('last', instant);
    reader.end();
    return new Map([[earlierAttempts, { failed, last }]]);
  }
  const lines = reader.list('tries', attemptsForm);
  reader.end();
  if (lines.length > mostPasswords) throw reader.malformed('there are more than 100 lines "tries"');
  return new Map(lines.map(([key, [failed, last]]) => [key, { failed, last }]));
}

export function encodeOwnerAttempts(attempts: PasswordAttempts): Uint8Array {
  return new TextWriter('owner-attempts')
    .field('failed', count(0, largestNumber), attempts.failed)
    .field('last', instant, attempts.last)
    .done();
}

export function decodeOwnerAttempts(bytes: Uint8Array, path: string): PasswordAttempts {
  const reader = new TextReader(bytes, 'owner-attempts', path);
  const attempts = {
    failed: reader.field('failed', count(0, largestNumber)),
    last: reader.field('last', instant),
  };
  reader.end();
  return attempts;
}
