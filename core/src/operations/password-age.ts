/**
 * How old a Basic User Password is, from the history of the user it belongs to: no file holds the instant itself, and what a
 * person's own history says is advisory (whoever can write it can change it). Pure.
 */
import type { HistoryLine } from '../domain/history.ts';
import type { Instant } from '../domain/time.ts';

/**
 * When the present password came to this computer: made, changed, or brought by an import, which is the latest that is known
 * of one that is older elsewhere. Undefined where no line tells.
 */
export function passwordSetAt(lines: readonly HistoryLine[]): Instant | undefined {
  return lines
    .filter((line) => line.scope === 'user' && line.outcome === 'ok' && setsPassword(line))
    .reduce<Instant | undefined>((latest, { time }) => Math.max(latest ?? time, time), undefined);
}

function setsPassword({ operation, facts }: HistoryLine): boolean {
  switch (operation) {
    case 'user-initialize':
      // Leaving a lost registration again sets none.
      return facts.registration === undefined;
    case 'user-password':
      return true;
    case 'user-new-key':
      return facts.password === 'changed';
    case 'import':
      return facts.case !== 'merge';
    case 'undo':
      return facts.kind === 'Quarantine';
    default:
      return false;
  }
}
