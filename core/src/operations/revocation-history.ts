/**
 * Which revocation list a new one continues. A list that was lost must not begin again at 1: computers that met a higher
 * number would refuse every move, and those that did not would honour grants that were revoked. What this computer still knows
 * of a lost list is its history: the platform's own names every grant that its owner revoked, so that list is made again from
 * it; a fleet's may have been continued elsewhere, so there only its last number is known, and somebody has to bring the list.
 */
import { fail } from '../domain/error.ts';
import type { HistoryLine } from '../domain/history.ts';
import type { RevocationList } from '../domain/grant.ts';
import { groupFingerprint, parseId, type AuthorityFingerprint } from '../domain/ids.ts';
import { passingOver } from './grants-context.ts';
import type { Call } from './operation.ts';
import type { Platform } from './platform-context.ts';

type Revoked = RevocationList['revoked'];

export interface ListToContinue {
  /** 0 where there was none. */
  readonly number: number;
  readonly revoked: Revoked;
  /** It was lost and is made again. */
  readonly restored: boolean;
}

interface Remembered {
  readonly number: number;
  readonly revoked: Revoked;
  /** Every number up to the last one was made here, so that nothing is missing. */
  readonly whole: boolean;
}

/** `RevocationListOutdated` where a later list was met here than the newest that can be found. */
export async function listToContinue(
  call: Call,
  {
    platform,
    signer,
    known,
    local,
  }: {
    readonly platform: Platform | undefined;
    readonly signer: AuthorityFingerprint;
    readonly known: RevocationList | undefined;
    readonly local: boolean;
  },
): Promise<ListToContinue> {
  const remembered =
    platform === undefined ? nothing : remember(await linesOf(call, platform), platform, signer);
  const found: ListToContinue = {
    number: known?.number ?? 0,
    revoked: known?.revoked ?? [],
    restored: false,
  };
  if (remembered.number > found.number) {
    if (local && remembered.whole)
      return { number: remembered.number, revoked: union(found.revoked, remembered.revoked), restored: true };
    throw fail('RevocationListOutdated', {
      authority: groupFingerprint(signer),
      number: found.number,
      known: remembered.number,
    });
  }
  if (found.number === 0 && !local) {
    call.report.warning(
      `This begins the revocation list of ${groupFingerprint(signer)} at number 1. If there is one already, put it into the folder first: this one would not name what that one revokes.`,
    );
  }
  return found;
}

const nothing: Remembered = { number: 0, revoked: [], whole: true };

/** What the history tells of one authority's lists. Pure. */
function remember(
  lines: readonly HistoryLine[],
  platform: Platform,
  signer: AuthorityFingerprint,
): Remembered {
  const numbers = new Set<number>();
  const revoked = new Map<string, Revoked[number]>();
  let number = 0;
  for (const { operation, outcome, facts, scope } of lines) {
    if (outcome !== 'ok') continue;
    // Lines that name no authority are of the platform's own.
    const authority = facts.authority ?? (scope === 'platform' ? platform.authority : undefined);
    if (authority !== signer || !isNumber(facts.number)) continue;
    if (operation !== 'access-revoke' && operation !== 'revocation-add') continue;
    number = Math.max(number, Number(facts.number));
    const serial = parseId('GrantSerial', facts.serial ?? '');
    if (operation === 'revocation-add' || serial === undefined) continue;
    numbers.add(Number(facts.number));
    revoked.set(serial, { serial, reason: facts.reason ?? '' });
  }
  return { number, revoked: [...revoked.values()], whole: numbers.size === number };
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^[1-9][0-9]{0,9}$/.test(text);
}

/** To revoke is never stopped by a broken record: what can be read counts. */
async function linesOf(call: Call, platform: Platform): Promise<readonly HistoryLine[]> {
  const history = call.ports.history(platform.ids.platformId);
  const chains = [
    await passingOver(call, () => history.read('platform')),
    await passingOver(call, () => history.read('user')),
  ];
  return chains.flatMap((lines) => lines ?? []);
}

function union(first: Revoked, second: Revoked): Revoked {
  const all = new Map([...second, ...first].map((entry) => [entry.serial, entry]));
  return [...all.values()];
}
