/**
 * Running a changer in two calls or one. `plan` answers what would happen; `apply` computes it again from the same inputs,
 * compares the ids, and performs it. The rpc loop and the command line have no other way to change anything.
 */
import { fail, isSPMigrationError } from '../domain/error.ts';
import type { Call, Fact, Plan, Planned } from './operation.ts';
import { planId } from './plan-id.ts';
import { recordRefusal } from './record.ts';
import type { ChangerEntry, ParameterValues } from './registry.ts';

/** A plan as it is shown. */
export interface ShownPlan {
  readonly planId: string;
  readonly plan: Plan;
  readonly preview: unknown;
}

/**
 * Computes the plan, and derives what `apply` will need from the secrets at hand; changes nothing. A refusal is recorded in
 * the history, unless the caller only looks (`-WhatIf`), which leaves no trace at all.
 */
export async function planChange(
  name: string,
  entry: ChangerEntry,
  call: Call,
  parameters: ParameterValues,
  purpose: 'looks' | 'intends' = 'looks',
): Promise<ShownPlan> {
  const plan = async (): Promise<ShownPlan> => {
    const operation = await entry.load();
    const planned = await operation(call, parameters);
    try {
      await planned.prepare?.('question');
      return shown(name, parameters, planned);
    } finally {
      await planned.dispose?.();
    }
  };
  return purpose === 'looks' ? plan() : recordingRefusal(name, entry, call, parameters, plan);
}

/**
 * Performs a change whose plan was shown (`PlanOutdated` where it would be another one now), or, without an id, plans and
 * performs in one. `agree` may look at the plan last and refuse by throwing. A refusal is recorded in the history.
 */
export async function applyChange(
  name: string,
  entry: ChangerEntry,
  call: Call,
  parameters: ParameterValues,
  expected: string | undefined,
  agree: (plan: ShownPlan) => Promise<void> = () => Promise.resolve(),
): Promise<readonly object[]> {
  return recordingRefusal(name, entry, call, parameters, () =>
    performChange(name, entry, call, parameters, expected, agree),
  );
}

async function performChange(
  name: string,
  entry: ChangerEntry,
  call: Call,
  parameters: ParameterValues,
  expected: string | undefined,
  agree: (plan: ShownPlan) => Promise<void>,
): Promise<readonly object[]> {
  const operation = await entry.load();
  const planned = await operation(call, parameters);
  try {
    const now = shown(name, parameters, planned);
    if (expected !== undefined && expected !== now.planId) throw fail('PlanOutdated');
    // Only a change of high impact is asked about.
    if (expected === undefined) await planned.prepare?.(now.plan.impact === 'high' ? 'question' : 'apply');
    await agree(now);
    if (call.signal.aborted) throw fail('OperationInterrupted');
    const value = await planned.apply();
    return isList(value) ? value : [value];
  } finally {
    await planned.dispose?.();
  }
}

async function recordingRefusal<Value>(
  name: string,
  entry: ChangerEntry,
  call: Call,
  parameters: ParameterValues,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (isSPMigrationError(error)) {
      const { path } = parameters;
      await recordRefusal(call, entry.chain, name, error, typeof path === 'string' ? path : undefined);
    }
    throw error;
  }
}

function shown(name: string, parameters: ParameterValues, planned: Planned<object>): ShownPlan {
  const facts: Readonly<Record<string, Fact>> = parameters;
  return { planId: planId(name, facts, planned.plan), plan: planned.plan, preview: planned.preview };
}

function isList(value: object): value is readonly object[] {
  return Array.isArray(value);
}
