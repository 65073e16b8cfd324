/**
 * Whether a registration's key is what it says, before an authority signs anything for it (docs/spec/registration.md,
 * "Checks"). Who left the file is not its business: the owner according to the operating system decides that.
 */
import { fail, isSPMigrationError } from '../domain/error.ts';
import type { Registration, SignedGrant } from '../domain/grant.ts';
import { decodeGrant } from '../format/grant-v1.ts';
import { isBasicUserKeyOf } from './basic-user-key.ts';

/**
 * The grants by which the registered key came, oldest first, decoded and not verified. `RegistrationMalformed` where
 * the key has not the policy of the root authority and nonce that stand beside it. `path` is for messages.
 */
export function checkRegistration(registration: Registration, path: string): readonly SignedGrant[] {
  const { basicUserKey, nonce, rootAuthority } = registration;
  if (!isBasicUserKeyOf(basicUserKey, nonce, rootAuthority)) {
    throw fail('RegistrationMalformed', {
      path,
      problem: 'the key in it is not a Basic User Key with the authority and nonce that it names',
    });
  }
  return registration.grants.map((bytes, index) => {
    try {
      return decodeGrant(bytes, `grant ${String(index + 1)}`);
    } catch (error) {
      if (!isSPMigrationError(error)) throw error;
      throw fail('RegistrationMalformed', { path, problem: error.message }, error);
    }
  });
}
