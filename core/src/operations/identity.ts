/** The identity as its readers see it: fingerprint to compare, and how much is known about the chip behind it. */
import { groupFingerprint } from '../domain/ids.ts';
import type { Identity } from '../domain/platform.ts';
import { decodeIdentity } from '../format/identity-v1.ts';
import { expectKind } from '../format/kind.ts';
import { authorityFingerprint, platformIdsOf } from '../sealing/fingerprints.ts';
import { endorsementFingerprint, endorsementOf } from '../sealing/endorsement.ts';
import { checkIdentity } from '../sealing/identity.ts';
import type { Call } from './operation.ts';
import { claimOf, type IdentityProof } from './proof.ts';
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

/** Without `proof`: what the identity says of itself. */
export function identityResult(
  identity: Identity,
  path: string,
  proof: IdentityProof = { kind: claimOf(identity) },
): IdentityResult {
  const ids = platformIdsOf(identity);
  const endorsement = endorsementOf(identity, path);
  return {
    path,
    computer: identity.computer,
    fingerprint: groupFingerprint(ids.fingerprint),
    chip: identity.chip,
    proof: proof.kind,
    endorsementFingerprint:
      endorsement === undefined ? null : groupFingerprint(endorsementFingerprint(endorsement.key)),
    endorsementCertificate: endorsement?.certificate !== undefined,
    attestationPath: proof.kind === 'Attested' ? proof.path : null,
    rehearsal: identity.rehearsal,
    authorityFingerprint: groupFingerprint(authorityFingerprint(identity.authorityKey)),
    storageKeyName: ids.storageKeyName,
    created: identity.created,
  };
}
