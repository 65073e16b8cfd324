/**
 * Running a changer in two calls or one. `plan` answers what would happen; `apply` computes it again from the same inputs,
 * compares the ids, and performs it. The rpc loop and the command line have no other way to change anything.
 */
import { fail } from '../domain/error.ts';
import type { Call, Fact, Plan, Planned } from './operation.ts';
import { planId } from './plan-id.ts';
import type { ChangerEntry, ParameterValues } from './registry.ts';

/** A plan as it is shown. */
export interface ShownPlan {
  readonly planId: string;
  readonly plan: Plan;
  readonly preview: unknown;
}

/** Computes the plan, and derives what `apply` will need from the secrets at hand; changes nothing. */
export async function planChange(
  name: string,
  entry: ChangerEntry,
  call: Call,
  parameters: ParameterValues,
): Promise<ShownPlan> {
  const operation = await entry.load();
  const planned = await operation(call, parameters);
  try {
    await planned.prepare?.();
    return shown(name, parameters, planned);
  } finally {
    await planned.dispose?.();
  }
}

/**
 * Performs a change whose plan was shown (`PlanOutdated` where it would be another one now), or, without an id, plans and
 * performs in one. `agree` may look at the plan last and refuse by throwing.
 */
export async function applyChange(
  name: string,
  entry: ChangerEntry,
  call: Call,
  parameters: ParameterValues,
  expected: string | undefined,
  agree: (plan: ShownPlan) => Promise<void> = () => Promise.resolve(),
): Promise<readonly object[]> {
  const operation = await entry.load();
  const planned = await operation(call, parameters);
  try {
    const now = shown(name, parameters, planned);
    if (expected !== undefined && expected !== now.planId) throw fail('PlanOutdated');
    if (expected === undefined) await planned.prepare?.();
    await agree(now);
    if (call.signal.aborted) throw fail('OperationInterrupted');
    const value = await planned.apply();
    return isList(value) ? value : [value];
  } finally {
    await planned.dispose?.();
  }
}

function shown(name: string, parameters: ParameterValues, planned: Planned<object>): ShownPlan {
  const facts: Readonly<Record<string, Fact>> = parameters;
  return { planId: planId(name, facts, planned.plan), plan: planned.plan, preview: planned.preview };
}

function isList(value: object): value is readonly object[] {
  return Array.isArray(value);
}
