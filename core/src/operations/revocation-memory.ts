/**
 * Revocation lists that go backwards. An environment remembers the highest number it met of each authority's list; where a
 * move depends on an authority, a lower list, or none any more, is refused: someone may have put an old one back.
 */
import { fail } from '../domain/error.ts';
import type { PrivatePart } from '../domain/environment.ts';
import type { SignedGrant, SignedRevocationList } from '../domain/grant.ts';
import { groupFingerprint, type AuthorityFingerprint } from '../domain/ids.ts';

type Remembered = PrivatePart['revocationNumbers'];

/** `RevocationListOutdated` where a list of one of the chain's signers is older than one that was met before. */
export function requireNewestLists(
  remembered: Remembered,
  chain: readonly SignedGrant[],
  lists: readonly SignedRevocationList[],
): void {
  for (const { signer } of chain) {
    const known = remembered.find(({ authority }) => authority === signer)?.number ?? 0;
    const number = lists.find((list) => list.signer === signer)?.list.number ?? 0;
    if (number < known) {
      throw fail('RevocationListOutdated', { authority: groupFingerprint(signer), number, known });
    }
  }
}

/**
 * What is remembered after these lists were met; sorted, as the format demands. Only lists of authorities that matter here:
 * anyone may sign lists under keys of their own and lay them on a share, and an environment holds a thousand numbers.
 */
export function rememberLists(
  remembered: Remembered,
  lists: readonly SignedRevocationList[],
  authorities: readonly AuthorityFingerprint[],
): Remembered {
  const numbers = new Map(remembered.map(({ authority, number }) => [authority, number]));
  for (const { signer, list } of lists) {
    const before = numbers.get(signer);
    if (before !== undefined || authorities.includes(signer))
      numbers.set(signer, Math.max(list.number, before ?? 0));
  }
  return [...numbers]
    .map(([authority, number]) => ({ authority, number }))
    .sort((a, b) => (a.authority < b.authority ? -1 : 1));
}
