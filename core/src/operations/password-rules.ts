/**
 * What a new password must be like: 8 to 255 characters and not the account's name, or what the caller demands (rows 83, 84
 * and 91; decisions 0007 and 0013). Rules hold for new passwords only, never for one that exists. Age is a question to the history (`test-platform.ts`).
 */
import { fail } from '../domain/error.ts';
import type { PasswordName, Secrets } from './secrets.ts';

const defaultMinimumLength = 8;
const lowestMinimumLength = 6;
const maximumPasswordCharacters = 255;
/** Of lower case, upper case, digits and others (including letters of scripts without case). */
const demandedKinds = 3;

/** What an administrator's script demands beyond the default. */
export interface PasswordRules {
  /** 6 to 255 characters; 8 where it is absent. */
  readonly minimumLength?: number;
  /** Three of four kinds of characters, and not the account's name in it. */
  readonly requireComplexity?: boolean;
}

/** `PasswordUnacceptable` for a new password of this request; says nothing where only its root is left. */
export function requireAcceptable(
  secrets: Secrets,
  name: PasswordName,
  which: string,
  rules: PasswordRules = {},
  accountName = '',
): void {
  const { minimumLength = defaultMinimumLength, requireComplexity = false } = rules;
  if (
    !Number.isInteger(minimumLength) ||
    minimumLength < lowestMinimumLength ||
    minimumLength > maximumPasswordCharacters
  ) {
    const problem = `it must be ${lowestMinimumLength} to ${maximumPasswordCharacters}`;
    throw fail('ParameterInvalid', { parameter: 'MinimumLength', problem });
  }
  const problem = secrets.inspect(name, (text) =>
    problemOf(text, minimumLength, requireComplexity, shortName(accountName)),
  );
  if (problem !== undefined) throw fail('PasswordUnacceptable', { which, problem });
}

/** `account` is empty where the password is nobody's in particular. Characters are counted as they are derived (NFKC). Pure. */
function problemOf(
  text: string,
  minimumLength: number,
  complex: boolean,
  account: string,
): string | undefined {
  const length = Array.from(text).length;
  if (length < minimumLength) return `it has ${length} characters, ${minimumLength} are the least`;
  if (length > maximumPasswordCharacters) {
    return `it has ${length} characters, ${maximumPasswordCharacters} are the most`;
  }
  const lower = text.toLowerCase();
  if (account !== '' && lower === account) return "it is the account's name";
  if (!complex) return undefined;
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{Ll}\p{Lu}\p{Nd}]/u];
  const used = kinds.filter((kind) => kind.test(text)).length;
  if (used < demandedKinds) {
    return `it has ${used} of the four kinds of characters (lower case, upper case, digits, others), ${demandedKinds} are the least`;
  }
  // As Windows does: a name of one or two letters would forbid too much.
  return account.length > 2 && lower.includes(account) ? "it contains the account's name" : undefined;
}

/** Without its domain, in lower case: `CONTOSO\\Anna` and `anna@contoso.com` are anna. */
function shortName(account: string): string {
  const name = account.slice(account.lastIndexOf('\\') + 1).split('@')[0] ?? '';
  return name.normalize('NFKC').toLowerCase();
}
