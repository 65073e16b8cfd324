/**
 * The undo that brings one credential back, which is set aside: it becomes Retained, and no feature changes. It comes from
 * the newest kept generation that holds it, or from an environment in quarantine that the present password opens as well.
 */
import { fail, hasCode } from '../domain/error.ts';
import { undoItems, withReturned } from '../domain/undo-plan.ts';
import type { PresentUser } from './change-environment.ts';
import { matchCredential } from './credential.ts';
import { quarantineOpener } from './open-set-aside.ts';
import type { Call, Planned } from './operation.ts';
import type { UndoResult } from './results.ts';
import {
  findSetAside,
  keptFile,
  placeName,
  setAsideCredentials,
  type Place,
  type SetAsideCredential,
} from './set-aside.ts';
import {
  keepingOpen,
  openGenerationInto,
  planUndo,
  unlockInto,
  type Past,
  type Restoring,
} from './undo-content.ts';
import type { UnlockedEnvironment } from './user-context.ts';

/** `CredentialNotFound`, `CredentialAmbiguous`, `NothingToUndo`, `CredentialRemoved`, `SetAsideNotOpened`. */
export async function undoRemoval(call: Call, user: PresentUser, text: string): Promise<Planned<UndoResult>> {
  const setAside = await chosenCredential(user, text);
  const { id, label } = setAside.credential;
  return keepingOpen(async (opened) => {
    const unlocked = await unlockInto(opened, call, user);
    if (unlocked.environment.privatePart.tombstones.includes(id)) {
      throw fail('CredentialRemoved', { credential: label });
    }
    const past = await openHolderInto(opened, call, user, unlocked, setAside);
    return planUndo(call, user, { ...returning(unlocked, past, setAside), opened });
  });
}

/** Of those that are set aside: one that is here may have the same friendly name. */
async function chosenCredential(user: PresentUser, text: string): Promise<SetAsideCredential> {
  const setAside = await setAsideCredentials(user);
  const candidates = setAside.map(({ credential }) => credential);
  if (matchCredential(candidates, text) === undefined) {
    const here = matchCredential(user.present.publicPart.credentials, text);
    if (here !== undefined) throw fail('NothingToUndo', { reason: `${here.label} is here` });
  }
  return findSetAside(setAside, text);
}

/** The newest place that holds the credential and opens. */
async function openHolderInto(
  opened: AsyncDisposableStack,
  call: Call,
  user: PresentUser,
  unlocked: UnlockedEnvironment,
  { credential, places }: SetAsideCredential,
): Promise<Past> {
  const openQuarantined = quarantineOpener(call, user);
  for (const place of places) {
    const past =
      place.quarantine === undefined
        ? await openIfPossible(opened, user, unlocked, place)
        : await openQuarantinedInto(opened, user, openQuarantined, place);
    if (past !== undefined) return past;
  }
  const where = [...new Set(places.map(placeName))].join(', ');
  throw fail('SetAsideNotOpened', { what: `${credential.label} in ${where}` });
}

async function openIfPossible(
  opened: AsyncDisposableStack,
  user: PresentUser,
  unlocked: UnlockedEnvironment,
  { generation }: Place,
): Promise<Past | undefined> {
  try {
    return await openGenerationInto(opened, user, unlocked, generation);
  } catch (error) {
    // Another place may hold it as well.
    if (hasCode(error, 'SetAsideNotOpened') || hasCode(error, 'EnvironmentDamaged')) return undefined;
    throw error;
  }
}

async function openQuarantinedInto(
  opened: AsyncDisposableStack,
  user: PresentUser,
  open: ReturnType<typeof quarantineOpener>,
  place: Place,
): Promise<Past | undefined> {
  const file = await keptFile(user, place);
  const quarantined = file && (await open(file));
  if (quarantined === undefined) return undefined;
  opened.defer(() => quarantined.dispose());
  return { place, environment: quarantined.environment };
}

function returning(
  unlocked: UnlockedEnvironment,
  { place, environment: past }: Past,
  { credential: { id, label } }: SetAsideCredential,
): Omit<Restoring, 'opened'> {
  // What was found was unverified; this is what the opened file says.
  const credential = past.publicPart.credentials.find((one) => one.id === id);
  if (credential === undefined) throw fail('PlanOutdated');
  const before = unlocked.environment;
  const environment = withReturned(before, past, credential);
  const items = undoItems(before.publicPart, environment.publicPart);
  return {
    kind: 'Credential',
    action: 'Bring a credential back',
    target: `${label} (${id}) from ${placeName(place)}`,
    heading: ['No feature changes by it.'],
    items: items.filter(({ action }) => action === 'Return'),
    unlocked,
    from: place,
    environment,
    facts: { credential: id },
  };
}
