/** What a new password must be like: 8 to 255 characters (rows 83 and 91; docs/decisions). */
import { fail } from '../domain/error.ts';
import type { PasswordName, Secrets } from './secrets.ts';

export const minimumPasswordCharacters = 8;
export const maximumPasswordCharacters = 255;

/** `PasswordUnacceptable` for a new password of this request; says nothing where only its root is left. */
export function requireAcceptable(secrets: Secrets, name: PasswordName, which: string): void {
  const characters = secrets.characters(name);
  if (characters === undefined) return;
  if (characters < minimumPasswordCharacters) {
    throw fail('PasswordUnacceptable', {
      which,
      problem: `it has ${characters} characters, ${minimumPasswordCharacters} are the least`,
    });
  }
  if (characters > maximumPasswordCharacters) {
    throw fail('PasswordUnacceptable', {
      which,
      problem: `it has ${characters} characters, ${maximumPasswordCharacters} are the most`,
    });
  }
}
