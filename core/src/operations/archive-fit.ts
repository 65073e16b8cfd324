/**
 * Whether an archive may come to this platform: every check that needs no secret, in the order in which they are reported.
 * Import makes them all; Test-SPMigrationArchive shows each. None can be switched off. What is no rule of a move but of the
 * moment (space, what lies here) is in `test-archive.ts`.
 */
import { fail } from '../domain/error.ts';
import { formatInstant, secondsPerDay } from '../domain/time.ts';
import { tpmName } from '../sealing/fingerprints.ts';
import { checkNotRevoked, checkScope, checkTime, checkTrusted, verifyChain } from '../sealing/grants.ts';
import type { ReadArchive } from '../sealing/archive.ts';
import { lastGrant } from './archive.ts';
import { daysLeftText, type Note } from './checks.ts';
import type { GrantsHere } from './grants-context.ts';
import type { Call } from './operation.ts';
import { requireSameKind, type Platform } from './platform-context.ts';

/** An archive, and what is known about its grants here. */
export interface Travelled {
  readonly path: string;
  readonly read: ReadArchive;
  readonly here: Pick<GrantsHere, 'revoked'>;
  readonly call: Call;
}

export interface Fit extends Travelled {
  readonly platform: Platform;
}

interface CheckBase {
  /** What a person reads. */
  readonly name: string;
  readonly passedText: string;
}

/** For whoever asks beforehand: a note, or another text than `passedText`. */
type Said = Note | string | undefined;

/** `archive` checks say something also where no platform is initialized. */
export type FitCheck =
  | (CheckBase & { readonly about: 'archive'; readonly check: (archive: Travelled) => Said })
  | (CheckBase & { readonly about: 'platform'; readonly check: (fit: Fit) => Said });

/** Fewer days of a grant than this are worth a note: archives travel by people. */
export const fewDays = 3;

/** Chains by the archive they were read from, which does not change: the check and who needs the chain ask for the same. */
const verifiedChains = new WeakMap<ReadArchive, ReturnType<typeof verifyChain>>();

/** The chain of grants in an archive, verified up to the authority fixed in its key. */
export function verifiedChain(read: ReadArchive, path: string): ReturnType<typeof verifyChain> {
  const { grants, basicUserKey, manifest } = read;
  const chain =
    verifiedChains.get(read) ?? verifyChain({ grants, basicUserKey, nonce: manifest.nonce }, path);
  verifiedChains.set(read, chain);
  return chain;
}

/** All of them, in order. */
export const fitChecks: readonly FitCheck[] = [
  {
    name: 'Kind',
    about: 'archive',
    passedText: 'Archive and platform are both real, or both of a rehearsal.',
    check: ({ path, read, call }) => {
      requireSameKind(path, read.manifest.rehearsal, call.ports.rehearsal);
      return undefined;
    },
  },
  {
    name: 'Destination',
    about: 'platform',
    passedText: 'It was made for this computer.',
    check: ({ path, read, platform }) => {
      const { grant } = lastGrant(read);
      if (tpmName(grant.destinationKey) === platform.ids.storageKeyName) return undefined;
      // Names only explain here; the Name of the storage key has decided already.
      if (grant.destinationComputer.toLowerCase() === platform.settings.computer.toLowerCase())
        throw fail('IdentityStale', { path });
      throw fail('ArchiveNotForThisPlatform', { path, destination: grant.destinationComputer });
    },
  },
  {
    name: 'Grants',
    about: 'archive',
    passedText: 'Its grants lead to the root authority fixed in the key.',
    check: ({ path, read }) => {
      verifiedChain(read, path);
      return undefined;
    },
  },
  {
    name: 'Permission',
    about: 'platform',
    passedText: 'The grant covers this source, account, key and destination.',
    check: ({ path, read, platform, call }) => {
      const { manifest } = read;
      checkScope(
        lastGrant(read),
        {
          rehearsal: call.ports.rehearsal,
          sourceKey: manifest.sourceKey,
          account: manifest.account,
          basicUserKey: read.name,
          destinationKey: platform.ids.storageKeyName,
        },
        path,
      );
      return undefined;
    },
  },
  {
    name: 'Revocation',
    about: 'archive',
    passedText: 'No revocation list that is known here revokes one of its grants.',
    check: ({ read, here }) => {
      // The grant of this move first: what is said about it matters most.
      for (const signed of [...read.grants].reverse()) checkNotRevoked(signed, here.revoked);
      return undefined;
    },
  },
  {
    name: 'Time',
    about: 'archive',
    passedText: 'The grant for this move is within its time.',
    check: ({ read, call }) => {
      const now = call.ports.clock();
      const last = lastGrant(read);
      checkTime(last, now);
      const left = last.grant.notAfter - now;
      if (left >= fewDays * secondsPerDay) return undefined;
      return {
        message: `The grant ends soon: on ${formatInstant(last.grant.notAfter)}, ${daysLeftText(left)}.`,
        hint: 'Import before that, or ask the owner to grant again and export again.',
      };
    },
  },
  {
    name: 'Trust',
    about: 'platform',
    passedText: 'The policy of this platform accepts its authorities.',
    check: ({ read, platform }) => {
      // The first signer is the root authority: the check of the grants above has shown that.
      const signers = [read.grants[0] ?? lastGrant(read), lastGrant(read)].map(({ signer }) => signer);
      const trusted = platform.policy.trustedAuthorities;
      checkTrusted(signers, trusted);
      return trusted === undefined
        ? 'No policy lists trusted authorities here: any is accepted, and the import records that.'
        : undefined;
    },
  },
];

/** Makes all checks; the first that does not hold throws. */
export function requireFit(fit: Fit): void {
  for (const one of fitChecks) one.check(fit);
}
