/**
 * Planning is looking: whatever an operation would change, its plan makes no change of the disk at all, whether it ends in a plan
 * or in an error. Over every operation that changes something (`testkit/changes.ts`), on a disk that counts its changes.
 */
import { describe, expect, it, vi } from 'vitest';
import { isSPMigrationError } from '../../core/src/domain/error.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
import { changers, changes, prepareChange, titleOf, type PreparedChange } from '../testkit/changes.ts';
import { simulate } from '../testkit/simulation.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

it('every operation that changes something is planned', () => {
  expect(new Set(changes.map(({ operation }) => operation))).toEqual(new Set(changers));
});

/** Plans on a disk of its own; answers the plan's id or the error's code, and how many changes of the disk were made. */
async function plan(
  change: PreparedChange,
  { parameters = change.parameters, secrets = change.secrets }: Partial<PreparedChange> = {},
): Promise<{ readonly outcome: string; readonly changes: number }> {
  const disk = change.fresh();
  const computers = await simulate(disk, 4, 'plan');
  try {
    const { planId } = await computers[change.on].plan(change.operation, parameters, secrets);
    return { outcome: planId, changes: disk.changes };
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    return { outcome: error.code, changes: disk.changes };
  }
}

/** Every text parameter replaced by one that names nothing. */
const naming = (parameters: ParameterValues, value: string): ParameterValues =>
  Object.fromEntries(
    Object.entries(parameters).map(([name, one]) => [
      name,
      typeof one === 'string' && !['feature', 'algorithm', 'chip', 'origin'].includes(name) ? value : one,
    ]),
  );

describe.each(changes.map((change) => [titleOf(change), change] as const))('%s', (_, change) => {
  it('planned makes no change of the disk, also where its plan is an error', async () => {
    const prepared = await prepareChange(change);
    const planned = await plan(prepared);
    expect(planned).toMatchObject({ changes: 0 });
    expect(planned.outcome).toMatch(/^[0-9a-f]{16,}$/);
    const errors: readonly Partial<PreparedChange>[] = [
      { secrets: {} },
      { parameters: naming(prepared.parameters, '/simulated-computers/nowhere/at all') },
      { parameters: naming(prepared.parameters, '') },
    ];
    for (const changed of errors) expect(await plan(prepared, changed)).toMatchObject({ changes: 0 });
  });
});
