/** `Get-SPMigrationHistory`: both chains, merged by time. `HistoryBroken` where a line was changed, removed or moved. */
import type { HistoryLine } from '../domain/history.ts';
import type { Reader } from './operation.ts';
import { findPlatform } from './platform-context.ts';
import type { HistoryEventResult } from './results.ts';

export const readHistory: Reader<object, HistoryEventResult> = async function* (call) {
  const platform = await findPlatform(call.ports);
  const history = call.ports.history(platform?.ids.platformId);
  const lines = [...(await history.read('platform')), ...(await history.read('user'))];
  lines.sort(
    (a, b) => a.time - b.time || (a.scope < b.scope ? -1 : a.scope > b.scope ? 1 : a.number - b.number),
  );
  for (const line of lines) yield eventResult(line);
};

function eventResult({
  scope,
  number,
  time,
  operation,
  outcome,
  account,
  facts,
  hash,
}: HistoryLine): HistoryEventResult {
  const summary = Object.entries(facts)
    .map(([name, value]) => `${name}: ${value}`)
    .join('; ');
  const generation = /^[1-9][0-9]{0,9}$/.test(facts.generation ?? '') ? Number(facts.generation) : null;
  return { scope, number, time, operation, outcome, account, generation, summary, hash };
}
