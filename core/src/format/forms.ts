/**
 * How single values are written in text kinds (docs/spec/text-format.md, "Values"): one form each, canonical. Other
 * characters than printable ASCII are written as `\u{hex}`. Leaves out which field has which form (the kinds' files).
 */
import { fromBase64, fromHex, toBase64, toHex } from '../bytes/bytes.ts';
import { hexDigits, parseId } from '../domain/ids.ts';
import type { Account } from '../domain/platform.ts';
import { formatInstant, parseInstant, type Instant } from '../domain/time.ts';
import type { TextReader, TextWriter, ValueForm } from './text.ts';

export const yesNo: ValueForm<boolean> = {
  what: 'yes or no',
  write: (value) => (value ? 'yes' : 'no'),
  read: (text) => (text === 'yes' ? true : text === 'no' ? false : undefined),
};

/** One of a few words. */
export function word<const Word extends string>(...words: readonly Word[]): ValueForm<Word> {
  return {
    what: `one of ${words.join(', ')}`,
    write: (value) => value,
    read: (text) => words.find((candidate) => candidate === text),
  };
}

/** A whole number in decimal digits, without leading zeros. */
export function count(minimum: number, maximum: number): ValueForm<number> {
  return {
    what: `a whole number from ${String(minimum)} to ${String(maximum)}`,
    write: (value) => String(value),
    read: (text) => {
      if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
      const value = Number(text);
      return value >= minimum && value <= maximum ? value : undefined;
    },
  };
}

export const instant: ValueForm<Instant> = {
  what: 'a time such as 2026-11-24T06:00:00Z',
  // An instant beyond the form's years is written as something that does not read back, which the writer refuses.
  write: (value) =>
    Number.isSafeInteger(value) && value >= 0 && value <= 253_402_300_799 ? formatInstant(value) : '',
  read: parseInstant,
};

/** An identifier in lower-case hex. */
export function id<Kind extends keyof typeof hexDigits>(
  kind: Kind,
): ValueForm<NonNullable<ReturnType<typeof parseId<Kind>>>> {
  return {
    what: `a ${kind} of ${String(hexDigits[kind])} lower-case hex digits`,
    write: (value) => value,
    read: (text) => parseId(kind, text),
  };
}

/** Exactly `length` bytes in lower-case hex. */
export function hexBytes(length: number): ValueForm<Uint8Array> {
  return {
    what: `${String(length)} bytes in lower-case hex`,
    write: toHex,
    read: (text) => {
      const bytes = fromHex(text);
      return bytes?.length === length ? bytes : undefined;
    },
  };
}

/** Between `minimum` and `maximum` bytes in padded base64. */
export function base64Bytes(minimum: number, maximum: number): ValueForm<Uint8Array> {
  return {
    what:
      minimum === maximum ? `${String(minimum)} bytes in base64` : `up to ${String(maximum)} bytes in base64`,
    write: toBase64,
    read: (text) => {
      const bytes = fromBase64(text);
      return bytes !== undefined && bytes.length >= minimum && bytes.length <= maximum ? bytes : undefined;
    },
  };
}

/** A TPMT_PUBLIC; its structure is checked where it is used (`tpm2/structures.ts`). */
export const publicArea = base64Bytes(1, 700);

/** r ‖ s of ECDSA on P-256. */
export const signatureBytes = base64Bytes(64, 64);

/**
 * Text for people: up to `maximum` characters, none of them a control, a line separator, or a mark that changes the
 * direction of writing, since such characters could forge what a terminal shows.
 */
export function displayText(maximum: number): ValueForm<string> {
  return {
    what: `text of 1 to ${String(maximum)} characters without control characters`,
    write: escapeText,
    read: (text) => {
      const value = unescapeText(text);
      if (value === undefined || value === '' || Array.from(value).length > maximum) return undefined;
      return /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(value) ? undefined : value;
    },
  };
}

/** Name of a computer, for display. */
export const computerName = displayText(255);

const accountIdPattern = /^(sid:S-1(-(0|[1-9][0-9]{0,14})){2,16}|uid:(0|[1-9][0-9]{0,9})@[0-9a-f]{20})$/;

/** `sid:S-1-…` or `uid:<n>@<platform id>`. */
export const accountId: ValueForm<string> = {
  what: 'an account id (sid:S-1-… or uid:<number>@<platform id>)',
  write: (value) => value,
  read: (text) => (accountIdPattern.test(text) ? text : undefined),
};

const upnText = displayText(320);

/** Whom a grant names: an account id, or `upn:` and an exact user principal name. */
export const userName: ValueForm<string> = {
  what: 'an account id, or upn:<user principal name>',
  write: escapeText,
  read: (text) => {
    if (!text.startsWith('upn:')) return accountId.read(text);
    const upn = upnText.read(text.slice(4));
    return upn === undefined || upn.includes(' ') ? undefined : `upn:${upn}`;
  },
};

/** An account takes up to three lines: `account`, `account-name`, `account-upn`. */
export function writeAccount(writer: TextWriter, account: Account): void {
  writer.field('account', accountId, account.id).field('account-name', displayText(256), account.name);
  writer.optional('account-upn', upnText, account.upn);
}

/** Reads what `writeAccount` wrote. */
export function readAccount(reader: TextReader): Account {
  const account = {
    id: reader.field('account', accountId),
    name: reader.field('account-name', displayText(256)),
  };
  const upn = reader.optional('account-upn', upnText);
  return upn === undefined ? account : { ...account, upn };
}

/** Two values in one line, separated by its first space: the first has none in it. */
export function pair<A, B>(first: ValueForm<A>, second: ValueForm<B>): ValueForm<readonly [A, B]> {
  return {
    what: `${first.what} and ${second.what}`,
    write: ([a, b]) => `${first.write(a)} ${second.write(b)}`,
    read: (text) => {
      const space = text.indexOf(' ');
      if (space < 0) return undefined;
      const a = first.read(text.slice(0, space));
      const b = second.read(text.slice(space + 1));
      return a === undefined || b === undefined ? undefined : [a, b];
    },
  };
}

/** The same text as a value of another type. */
export function mapped<A, B>(
  form: ValueForm<A>,
  to: (value: A) => B,
  from: (value: NoInfer<B>) => A,
): ValueForm<B> {
  return {
    what: form.what,
    write: (value) => form.write(from(value)),
    read: (text) => {
      const value = form.read(text);
      return value === undefined ? undefined : to(value);
    },
  };
}

function escapeText(text: string): string {
  let escaped = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    escaped += code < 0x20 || code > 0x7e || character === '\\' ? `\\u{${code.toString(16)}}` : character;
  }
  return escaped;
}

/** Undefined where the text holds another escape, an escape that was not needed, or no Unicode text. */
function unescapeText(text: string): string | undefined {
  const value = text.replace(/\\u\{([0-9a-f]{1,6})\}/g, (whole, hex: string) => {
    const code = Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
  return value.isWellFormed() && escapeText(value) === text ? value : undefined;
}
