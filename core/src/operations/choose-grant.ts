/**
 * Which of the grants that can be seen permit a move of the caller's key now, and which one an export uses. Needs no secret:
 * the same judgement shows beforehand whether this computer can be a source (`test-source.ts`).
 */
import { fail, isSPMigrationError, type SPMigrationError } from '../domain/error.ts';
import { decodeGrant } from '../format/grant-v1.ts';
import { tpmName } from '../sealing/fingerprints.ts';
import { chainFor, checkGrant, checkNotRevoked, type Chain } from '../sealing/grants.ts';
import type { PresentUser } from './change-environment.ts';
import { requireMatching, requireOneDestination, type DestinationChoice } from './destination.ts';
import type { FoundGrant, GrantsHere } from './grants-context.ts';
import type { Call } from './operation.ts';

/** A grant that permits the move, with the chain that leads to it from the key's root authority. */
export interface UsableGrant {
  readonly found: FoundGrant;
  readonly chain: Chain;
}

export interface JudgedGrants {
  /** The longest valid first. */
  readonly usable: readonly UsableGrant[];
  /** Why the others do not permit it, in the same order. */
  readonly refused: readonly SPMigrationError[];
}

/** Judges each of `candidates`. */
export function judgeGrants(
  call: Call,
  { platform, present }: PresentUser,
  here: GrantsHere,
  candidates: readonly FoundGrant[],
): JudgedGrants {
  const sorted = [...candidates].sort(
    (a, b) => b.signed.grant.notAfter - a.signed.grant.notAfter || (a.path < b.path ? -1 : 1),
  );
  const held = present.publicPart.grants.map((bytes, index) =>
    decodeGrant(bytes, `${present.stored.path} (grant ${index + 1})`),
  );
  const usable: UsableGrant[] = [];
  const refused: SPMigrationError[] = [];
  for (const found of sorted) {
    try {
      const { grant } = found.signed;
      checkGrant(
        found.signed,
        {
          now: call.ports.clock(),
          rehearsal: call.ports.rehearsal,
          sourceKey: platform.ids.storageKeyName,
          account: platform.account,
          basicUserKey: present.basicUserKey,
          destinationKey: tpmName(grant.destinationKey),
          revoked: here.revoked,
        },
        found.path,
      );
      const chain = chainFor({
        held,
        candidate: found.signed,
        basicUserKey: present.decoded.header.basicUserKey,
        nonce: present.decoded.header.nonce,
        rootAuthority: present.publicPart.rootAuthority,
        account: platform.account.name,
      });
      for (const signed of chain.grants) checkNotRevoked(signed, here.revoked);
      usable.push({ found, chain });
    } catch (error) {
      if (!isSPMigrationError(error)) throw error;
      refused.push(error);
    }
  }
  return { usable, refused };
}

/** The grant that permits this move for the longest time; the newest one's error where none does. */
export function chooseGrant(
  call: Call,
  user: PresentUser,
  here: GrantsHere,
  choice: DestinationChoice,
): UsableGrant {
  const matching = requireMatching(here.grants, choice, user.platform.account.name);
  const { usable, refused } = judgeGrants(call, user, here, matching);
  const [first] = usable;
  if (first === undefined) throw refused[0] ?? fail('InternalError', { problem: 'no grant and no reason' });
  // Only among what would permit the move: anyone can lay a grant of their own making beside the others.
  requireOneDestination(
    usable.map(({ found }) => found),
    choice,
  );
  return first;
}
