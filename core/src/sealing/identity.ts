/**
 * Whether the keys in an identity can be what they are for. It says nothing about who holds them: without attestation
 * every identity is a claim, and people compare its fingerprint (docs/spec/identity.md, "Construction"). The certificate of an
 * endorsement key is not looked at before somebody asks who vouches for the key (`endorsement.ts`).
 */
import { fail } from '../domain/error.ts';
import type { Identity } from '../domain/platform.ts';
import { isAuthorityKey, isStorageKey } from '../tpm2/templates.ts';
import { endorsementOf } from './endorsement.ts';

/** `IdentityMalformed` where a key in it is no storage, authority or endorsement key. `path` is for messages. */
export function checkIdentity(identity: Identity, path: string): void {
  if (!isStorageKey(identity.storageKey)) {
    throw fail('IdentityMalformed', {
      path,
      problem: 'its "storage-key" is not the public area of a storage key',
    });
  }
  if (!isAuthorityKey(identity.authorityKey)) {
    throw fail('IdentityMalformed', {
      path,
      problem: 'its "authority-key" is not the public area of an authority key',
    });
  }
  endorsementOf(identity, path);
}
