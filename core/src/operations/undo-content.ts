/**
 * The undo that brings the content of a kept generation back. It becomes the next generation, under the present keys, so
 * that undoing it again is a redo (docs/spec/environment-store.md, "Undo and removal"). Leaves out single credentials
 * (`undo-removal.ts`) and whole environments in quarantine (`undo-exchange.ts`).
 */
import type { Environment } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import { restored, sameContent, undoItems, type UndoItem } from '../domain/undo-plan.ts';
import { disposeKeys } from '../sealing/environment.ts';
import type { PresentUser } from './change-environment.ts';
import { warnIfOutOfTime } from './credential.ts';
import { uninstallable } from './installed.ts';
import { openKept } from './open-set-aside.ts';
import type { Call, Planned } from './operation.ts';
import { record } from './record.ts';
import type { UndoResult } from './results.ts';
import { keptFile, placeName, type Place } from './set-aside.ts';
import { activeIn, itemFacts, undoLines, uninstallLines } from './undo-words.ts';
import { commitEnvironment, presentFacts, unlock, type UnlockedEnvironment } from './user-context.ts';

/** An earlier state, opened. */
export interface Past {
  readonly place: Place;
  readonly environment: Environment;
}

/** The content of the generation with this number. `GenerationNotFound`, `NothingToUndo`, `SetAsideNotOpened`. */
export async function undoToGeneration(
  call: Call,
  user: PresentUser,
  generation: number,
): Promise<Planned<UndoResult>> {
  const kept = (await user.store.generations()).map((id) => id.generation);
  if (!kept.includes(generation)) {
    throw fail('GenerationNotFound', { generation, kept: kept.join(', ') });
  }
  if (generation === user.present.stored.generation) {
    throw fail('NothingToUndo', { reason: `generation ${generation} is the present one` });
  }
  return keepingOpen(async (opened) => {
    const unlocked = await unlockInto(opened, call, user);
    const past = await openGenerationInto(opened, user, unlocked, generation);
    if (changesNothing(unlocked, past)) {
      throw fail('NothingToUndo', { reason: `what generation ${generation} holds is what is here now` });
    }
    return planRestore(call, user, unlocked, past, opened);
  });
}

/**
 * The content of the newest state before the present one that differs from it: a new password or key is no other content.
 * Undefined where none is kept. `NothingToUndo` where the last change was a removal for good.
 */
export async function undoLastChange(
  call: Call,
  user: PresentUser,
): Promise<Planned<UndoResult> | undefined> {
  const kept = new Set((await user.store.generations()).map(({ generation }) => generation));
  const first = user.present.decoded.header.parent;
  if (!kept.has(first)) return undefined;
  return keepingOpen(async (opened) => {
    const unlocked = await unlockInto(opened, call, user);
    for (let parent = first; kept.has(parent);) {
      const past = await openGenerationInto(opened, user, unlocked, parent);
      if (!changesNothing(unlocked, past)) return planRestore(call, user, unlocked, past, opened);
      const { tombstones } = past.environment.privatePart;
      if (unlocked.environment.privatePart.tombstones.some((id) => !tombstones.includes(id))) {
        throw fail('NothingToUndo', { reason: 'the last change removed a credential for good' });
      }
      parent = past.parent;
    }
    await opened.disposeAsync();
    return undefined;
  });
}

/** Runs `work`; what it opened goes to the plan that it answers, or is closed where it fails. */
export async function keepingOpen<Value>(
  work: (opened: AsyncDisposableStack) => Promise<Value>,
): Promise<Value> {
  const opened = new AsyncDisposableStack();
  try {
    return await work(opened);
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

export async function unlockInto(
  opened: AsyncDisposableStack,
  call: Call,
  user: PresentUser,
): Promise<UnlockedEnvironment> {
  const unlocked = await unlock(call, user);
  opened.defer(() => unlocked.dispose());
  return unlocked;
}

/** A kept generation under the present keys. `SetAsideNotOpened`, `EnvironmentDamaged`. */
export async function openGenerationInto(
  opened: AsyncDisposableStack,
  user: PresentUser,
  unlocked: UnlockedEnvironment,
  generation: number,
): Promise<Past & { readonly parent: number }> {
  const place: Place = { quarantine: undefined, generation };
  const file = await keptFile(user, place);
  if (file === undefined) throw fail('PlanOutdated');
  const environment = openKept(unlocked, file);
  opened.defer(() => {
    disposeKeys(environment);
  });
  return { place, environment, parent: file.decoded.header.parent };
}

function changesNothing({ environment: present }: UnlockedEnvironment, { environment: past }: Past): boolean {
  return sameContent(restored(present, past).environment, present);
}

function planRestore(
  call: Call,
  user: PresentUser,
  unlocked: UnlockedEnvironment,
  past: Past,
  opened: AsyncDisposableStack,
): Promise<Planned<UndoResult>> {
  const before = unlocked.environment;
  const { environment, skipped } = restored(before, past.environment);
  const { generation } = user.present.stored;
  const items = undoItems(before.publicPart, environment.publicPart, skipped);
  const visible = items.some(({ action }) => action !== 'Unchanged' && action !== 'Skip');
  return planUndo(call, user, {
    kind: 'Generation',
    action: 'Bring an earlier state back',
    target: `${placeName(past.place)} of ${user.platform.account.name}`,
    heading: [
      `What ${placeName(past.place)} holds comes back as generation ${generation + 1}; the present state stays as generation ${generation}.`,
      ...(visible
        ? []
        : ['No credential and no feature changes; archives merged since count as not merged.']),
    ],
    items,
    unlocked,
    from: past.place,
    environment,
    opened,
    facts: {},
  });
}

/** An undo that writes a next generation. */
export interface Restoring {
  readonly kind: 'Generation' | 'Credential';
  readonly action: string;
  readonly target: string;
  readonly heading: readonly string[];
  readonly items: readonly UndoItem[];
  readonly unlocked: UnlockedEnvironment;
  readonly from: Place;
  /** What becomes the next generation. */
  readonly environment: Environment;
  /** Everything that was opened for it; goes to the plan. */
  readonly opened: AsyncDisposableStack;
  /** For the history. */
  readonly facts: Readonly<Record<string, string>>;
}

export async function planUndo(
  call: Call,
  user: PresentUser,
  restoring: Restoring,
): Promise<Planned<UndoResult>> {
  const { kind, items, unlocked, from, environment, opened } = restoring;
  const { account, ids } = user.platform;
  const present = user.present.stored.generation;
  const uninstall = await uninstallable(user.store, environment.publicPart);
  const result = (generation: number): UndoResult => ({
    account: account.id,
    kind,
    restored: from.generation,
    generation,
    setAside: null,
    items,
    featuresActive: activeIn(environment.publicPart.features),
    uninstall,
  });
  warnOfUse(call, environment.publicPart.credentials, items);
  return {
    plan: {
      action: restoring.action,
      target: restoring.target,
      impact: 'high',
      lines: [
        ...restoring.heading,
        ...undoLines(items, `generation ${present}`),
        ...uninstallLines(uninstall),
        'Key, password, grants and revocations stay as they are now.',
      ],
      facts: {
        ...presentFacts(user),
        kind,
        from: `${placeName(from)} ${from.generation}`,
        items: itemFacts(items),
        uninstall,
      },
    },
    preview: result(present + 1),
    apply: async () => {
      const { generation } = await commitEnvironment(call, user, unlocked, environment);
      await record(call, 'user', {
        operation: 'undo',
        account,
        platform: ids.platformId,
        facts: { kind, restored: placeName(from), ...restoring.facts, generation: String(generation) },
      });
      return result(generation);
    },
    dispose: () => opened.disposeAsync(),
  };
}

/** Of certificates that come into use by it and are not valid now. */
export function warnOfUse(
  call: Call,
  credentials: Environment['publicPart']['credentials'],
  items: readonly UndoItem[],
): void {
  for (const { credential, action, features } of items) {
    if (features.length === 0 || (action !== 'Return' && action !== 'Activate')) continue;
    const used = credentials.find(({ id }) => id === credential);
    if (used !== undefined) warnIfOutOfTime(call, used);
  }
}
