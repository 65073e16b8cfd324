/**
 * The policy of a Basic User Key in words of the domain, and the check that a key really has it: template and policy
 * rebuilt from root authority and nonce, equal byte for byte (docs/spec/keys.md, "Basic User Key"). A key with another
 * policy could be moved without its owner, or could never be moved again.
 */
import { fail } from '../domain/error.ts';
import { groupFingerprint } from '../domain/ids.ts';
import { nameOf } from '../tpm2/name.ts';
import { bukPolicy, nonceBytes } from '../tpm2/policy.ts';
import { isAuthorityKey, isBasicUserKey } from '../tpm2/templates.ts';
import { authorityFingerprint } from './fingerprints.ts';

/** authPolicy (32 bytes) of a key under the authority with this TPMT_PUBLIC; `nonce` is 16 random bytes. */
export function basicUserKeyPolicy(authority: Uint8Array, nonce: Uint8Array): Uint8Array {
  return bukPolicy(nameOf(authority), nonce);
}

/** Whether the public area is that of a Basic User Key of exactly this root authority and nonce. */
export function isBasicUserKeyOf(
  basicUserKey: Uint8Array,
  nonce: Uint8Array,
  rootAuthority: Uint8Array,
): boolean {
  if (nonce.length !== nonceBytes || !isAuthorityKey(rootAuthority)) return false;
  return isBasicUserKey(basicUserKey, basicUserKeyPolicy(rootAuthority, nonce));
}

/** `BasicUserKeyPolicyWrong` unless `isBasicUserKeyOf`. `path` is for messages. */
export function checkBasicUserKey(
  basicUserKey: Uint8Array,
  nonce: Uint8Array,
  rootAuthority: Uint8Array,
  path: string,
): void {
  if (isBasicUserKeyOf(basicUserKey, nonce, rootAuthority)) return;
  throw fail('BasicUserKeyPolicyWrong', {
    path,
    authority: groupFingerprint(authorityFingerprint(rootAuthority)),
  });
}
