/**
 * Whether an archive may come to this platform: every check that needs no secret, in the order in which they are reported.
 * Import makes them all; Test-SPMigrationArchive shows each. None can be switched off.
 */
import { fail } from '../domain/error.ts';
import { tpmName } from '../sealing/fingerprints.ts';
import { checkGrant, checkNotRevoked, checkTrusted, verifyChain } from '../sealing/grants.ts';
import type { ReadArchive } from '../sealing/archive.ts';
import { lastGrant } from './archive.ts';
import type { GrantsHere } from './grants-context.ts';
import type { Call } from './operation.ts';
import { requireSameKind, type Platform } from './platform-context.ts';

export interface Fit {
  readonly path: string;
  readonly read: ReadArchive;
  readonly platform: Platform;
  readonly here: GrantsHere;
  readonly call: Call;
}

export interface FitCheck {
  /** What a person reads. */
  readonly name: string;
  readonly passedText: string;
  readonly check: (fit: Fit) => void;
}

/** The chain of grants in an archive, verified up to the authority fixed in its key. */
export function verifiedChain(read: ReadArchive, path: string): ReturnType<typeof verifyChain> {
  return verifyChain(
    { grants: read.grants, basicUserKey: read.basicUserKey, nonce: read.manifest.nonce },
    path,
  );
}

/** All of them, in order. */
export const fitChecks: readonly FitCheck[] = [
  {
    name: 'Kind',
    passedText: 'Archive and platform are of the same kind.',
    check: ({ path, read, call }) => {
      requireSameKind(path, read.manifest.rehearsal, call.ports.rehearsal);
    },
  },
  {
    name: 'Destination',
    passedText: 'It was made for this computer.',
    check: ({ path, read, platform }) => {
      const { grant } = lastGrant(read);
      if (tpmName(grant.destinationKey) === platform.ids.storageKeyName) return;
      // Names only explain here; the Name of the storage key has decided already.
      if (grant.destinationComputer === platform.settings.computer) throw fail('IdentityStale', { path });
      throw fail('ArchiveNotForThisPlatform', { path, destination: grant.destinationComputer });
    },
  },
  {
    name: 'Grants',
    passedText: 'Its grants lead to the root authority fixed in the key.',
    check: ({ path, read }) => {
      verifiedChain(read, path);
    },
  },
  {
    name: 'Permission',
    passedText: 'The grant for this move is valid now.',
    check: ({ path, read, platform, here, call }) => {
      const { manifest } = read;
      const facts = {
        now: call.ports.clock(),
        rehearsal: call.ports.rehearsal,
        sourceKey: manifest.sourceKey,
        account: manifest.account,
        basicUserKey: read.name,
        destinationKey: platform.ids.storageKeyName,
        revoked: here.revoked,
      };
      checkGrant(lastGrant(read), facts, path);
      for (const signed of read.grants) checkNotRevoked(signed, here.revoked);
    },
  },
  {
    name: 'Trust',
    passedText: 'The policy of this platform accepts its authorities.',
    check: ({ read, platform }) => {
      // The first signer is the root authority: the check of the grants above has shown that.
      const signers = [read.grants[0] ?? lastGrant(read), lastGrant(read)].map(({ signer }) => signer);
      checkTrusted(signers, platform.policy.trustedAuthorities);
    },
  },
];

/** Makes all checks; the first that does not hold throws. */
export function requireFit(fit: Fit): void {
  for (const { check } of fitChecks) check(fit);
}
