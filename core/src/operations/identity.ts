/** The identity as its readers see it: fingerprint to compare, and how much is known about the chip behind it. */
import { groupFingerprint } from '../domain/ids.ts';
import type { Identity } from '../domain/platform.ts';
import { decodeIdentity } from '../format/identity-v1.ts';
import { expectKind } from '../format/kind.ts';
import { authorityFingerprint, platformIdsOf } from '../sealing/fingerprints.ts';
import { checkIdentity } from '../sealing/identity.ts';
import type { Call } from './operation.ts';
import type { IdentityResult } from './results.ts';

const maximumIdentityBytes = 256 * 1024;

/** Reads an identity file. `FileNotFound`, `WrongFileKind`, `FileMangled`, `IdentityMalformed`. */
export async function readIdentityFile(call: Call, path: string): Promise<Identity> {
  const bytes = await call.ports.files.read(path, maximumIdentityBytes);
  expectKind(bytes, 'identity', path);
  const identity = decodeIdentity(bytes, path);
  checkIdentity(identity, path);
  return identity;
}

export function identityResult(identity: Identity, path: string): IdentityResult {
  const ids = platformIdsOf(identity);
  return {
    path,
    computer: identity.computer,
    fingerprint: groupFingerprint(ids.fingerprint),
    chip: identity.chip,
    // A software area can claim to be a TPM's (reference: a software key with the exact template was accepted), so
    // without attestation a TPM is only claimed.
    proof: identity.chip === 'software' ? 'Software' : 'Claimed',
    rehearsal: identity.rehearsal,
    authorityFingerprint: groupFingerprint(authorityFingerprint(identity.authorityKey)),
    storageKeyName: ids.storageKeyName,
    created: identity.created,
  };
}
