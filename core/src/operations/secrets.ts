/**
 * The secrets of one conversation. Passwords are dropped at the end of the request that brought them; what was derived
 * from them (Argon2id roots) stays until the conversation ends, so that `apply` needs no second entry and the slow
 * derivation happens once per password and salt. Repeated entries are recognised by a keyed hash whose key never leaves
 * this process.
 */
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { toHex } from '../bytes/bytes.ts';
import { fail } from '../domain/error.ts';
import type { ErrorCode } from '../domain/error-catalogue.ts';
import { hmacSha256 } from '../crypto/hash.ts';
import { deriveRoot } from '../crypto/kdf.ts';
import type { Random } from '../ports/surroundings.ts';

export const passwordNames = ['password', 'currentPassword', 'newPassword', 'ownerPassword'] as const;
/** Secrets that are passwords of this product: only their roots are kept. */
export type PasswordName = (typeof passwordNames)[number];
export const valueNames = ['pfx', 'pfxPassword', 'oneTimeSecret', 'transferCode'] as const;
/** Secrets that are used as they are; kept from a request to the `apply` that follows it. */
export type ValueName = (typeof valueNames)[number];
export type SecretName = PasswordName | ValueName;

/** A root together with the salt it was derived with. */
export interface SaltedRoot {
  readonly salt: Uint8Array;
  readonly root: SecretBytes;
}

const missingCodes: Readonly<Record<PasswordName, ErrorCode>> = {
  password: 'PasswordRequired',
  currentPassword: 'CurrentPasswordRequired',
  newPassword: 'NewPasswordRequired',
  ownerPassword: 'OwnerPasswordRequired',
};

interface Remembered {
  /** Keyed hash of the password these roots belong to. */
  mark: string;
  roots: Map<string, SecretBytes>;
  fresh: SaltedRoot | undefined;
}

/** See the file's head. Dispose at the end of the conversation. */
export class Secrets {
  readonly #random: Random;
  readonly #markKey: Uint8Array;
  readonly #passwords = new Map<PasswordName, SecretBytes>();
  readonly #values = new Map<ValueName, SecretBytes>();
  readonly #remembered = new Map<PasswordName, Remembered>();

  constructor(random: Random) {
    this.#random = random;
    this.#markKey = random(32);
  }

  /** Takes over a secret that a request brought. */
  put(name: SecretName, secret: SecretBytes): void {
    if (isPasswordName(name)) {
      const mark = toHex(hmacSha256(this.#markKey, secret.reveal));
      if (this.#remembered.get(name)?.mark !== mark) {
        this.#forget(name);
        this.#remembered.set(name, { mark, roots: new Map(), fresh: undefined });
      }
      this.#passwords.get(name)?.dispose();
      this.#passwords.set(name, secret);
    } else {
      this.#values.get(name)?.dispose();
      this.#values.set(name, secret);
    }
  }

  /** Whether the password itself, or something derived from it, is at hand. */
  has(name: SecretName): boolean {
    return isPasswordName(name) ? this.#remembered.has(name) : this.#values.has(name);
  }

  /**
   * What `look` says of a password's text (NFKC, as it is derived), for rules on new ones; undefined once only its roots are
   * left. The text is a string, which cannot be cleared: it is dropped at once.
   */
  inspect<Value>(name: PasswordName, look: (text: string) => Value): Value | undefined {
    const password = this.#passwords.get(name);
    return password === undefined
      ? undefined
      : look(new TextDecoder().decode(password.reveal).normalize('NFKC'));
  }

  /**
   * Whether two passwords of this conversation are the same, also where they were typed differently (NFKC); false where one of
   * them is not there. Once only roots are left, it tells those that were typed alike.
   */
  same(one: PasswordName, other: PasswordName): boolean {
    const text = this.inspect(one, (first) => first);
    if (text !== undefined && this.inspect(other, (second) => second === text) === true) return true;
    const mark = this.#remembered.get(one)?.mark;
    return mark !== undefined && mark === this.#remembered.get(other)?.mark;
  }

  /**
   * The root for a salt that is known. `whose` completes the message of the error for a missing password
   * (`PasswordRequired`, `OwnerPasswordRequired`).
   */
  async root(name: PasswordName, salt: Uint8Array, whose: string): Promise<SecretBytes> {
    const remembered = this.#require(name, whose);
    const key = toHex(salt);
    const known = remembered.roots.get(key);
    if (known !== undefined) return known;
    const root = await deriveRoot(this.#password(name, whose), salt);
    remembered.roots.set(key, root);
    return root;
  }

  /** A root under a new random salt; the same one for the rest of the conversation or until `spendFresh`. */
  async freshRoot(name: PasswordName, whose: string): Promise<SaltedRoot> {
    const remembered = this.#require(name, whose);
    if (remembered.fresh === undefined) {
      const salt = this.#random(16);
      remembered.fresh = { salt, root: await deriveRoot(this.#password(name, whose), salt) };
    }
    return remembered.fresh;
  }

  /** After a fresh root was used for something lasting: the next one gets another salt. */
  spendFresh(name: PasswordName): void {
    const remembered = this.#remembered.get(name);
    if (remembered?.fresh === undefined) return;
    remembered.roots.set(toHex(remembered.fresh.salt), remembered.fresh.root);
    remembered.fresh = undefined;
  }

  /** A secret that is used as it is, or undefined. */
  value(name: ValueName): SecretBytes | undefined {
    return this.#values.get(name);
  }

  /** At the end of each request: passwords go, roots stay. */
  dropPasswords(): void {
    for (const password of this.#passwords.values()) password.dispose();
    this.#passwords.clear();
  }

  /** Before each request that is no `apply`: what another one brought is not meant for it. */
  dropValues(): void {
    for (const value of this.#values.values()) value.dispose();
    this.#values.clear();
  }

  dispose(): void {
    this.dropPasswords();
    for (const name of passwordNames) this.#forget(name);
    this.dropValues();
  }

  #require(name: PasswordName, whose: string): Remembered {
    const remembered = this.#remembered.get(name);
    if (remembered === undefined) throw fail(missingCodes[name], { which: whose });
    return remembered;
  }

  #password(name: PasswordName, whose: string): SecretBytes {
    const password = this.#passwords.get(name);
    if (password === undefined) throw fail(missingCodes[name], { which: whose });
    return password;
  }

  #forget(name: PasswordName): void {
    const remembered = this.#remembered.get(name);
    for (const root of remembered?.roots.values() ?? []) root.dispose();
    remembered?.fresh?.root.dispose();
    this.#remembered.delete(name);
  }
}

function isPasswordName(name: SecretName): name is PasswordName {
  return (passwordNames as readonly string[]).includes(name);
}
