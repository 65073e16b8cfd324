/**
 * The undo that exchanges whole environments (ruling 10): the one here goes to quarantine, the one set aside returns as it was,
 * with its own Basic User Key, salt and password. Both remain. It opens before anything changes: with a wrong password,
 * another chip or a damaged file everything stays as it is.
 */
import { equal, toHex } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { fail, isSPMigrationError } from '../domain/error.ts';
import { noContent, undoItems } from '../domain/undo-plan.ts';
import { decodeGeneration } from '../format/generation-v1.ts';
import { decodeGrant } from '../format/grant-v1.ts';
import type { QuarantinedEnvironment, StoredGeneration } from '../ports/environment-store.ts';
import { tpmName } from '../sealing/fingerprints.ts';
import { UserKeys } from '../sealing/user-keys.ts';
import { uninstallable } from './installed.ts';
import { misplaced } from './open-set-aside.ts';
import type { Call, Planned } from './operation.ts';
import { record } from './record.ts';
import { register } from './register.ts';
import type { UndoResult } from './results.ts';
import type { PlaceFile } from './set-aside.ts';
import { warnOfUse } from './undo-content.ts';
import { activeIn, itemFacts, undoLines, uninstallLines } from './undo-words.ts';
import {
  openWith,
  presentFacts,
  requireNotInterrupted,
  requireUnchanged,
  ofEnvironment,
  tryPassword,
  type User,
} from './user-context.ts';

/** The one with this id; `QuarantineNotFound`. */
export async function chosenQuarantine(user: User, text: string): Promise<QuarantinedEnvironment> {
  const known = await user.store.quarantine();
  const found = known.find(({ id }) => id === text.trim());
  if (found !== undefined) return found;
  const kept = known.map(({ id }) => id).join(', ') || 'none';
  throw fail('QuarantineNotFound', { quarantine: text.trim(), kept });
}

/**
 * What the last exchange set aside, if nothing changed here since: undoing it again brings that one back. The files do not
 * tell an environment that returned from one that was always here, so the history is asked; without it nothing is said.
 */
export async function exchangedLast(call: Call, user: User): Promise<QuarantinedEnvironment | undefined> {
  if (user.present === undefined) return undefined;
  const { epoch, generation } = user.present.stored;
  try {
    const lines = await call.ports.history(user.platform.ids.platformId).read('user');
    const last = lines.findLast(
      ({ operation, outcome, facts }) =>
        operation === 'undo' && outcome === 'ok' && facts.kind === 'Quarantine',
    );
    if (last?.facts.epoch !== String(epoch) || last.facts.generation !== String(generation)) return undefined;
    return (await user.store.quarantine()).find(({ id }) => id === last.facts.setAside);
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    return undefined;
  }
}

/** `PasswordRejected`, `StorageKeyChanged`, `EnvironmentDamaged`, …. */
export async function undoByExchange(
  call: Call,
  user: User,
  { id, generation }: QuarantinedEnvironment,
): Promise<Planned<UndoResult>> {
  const { platform, present, store } = user;
  const stored = await store.quarantinedGeneration(id, generation);
  if (stored === undefined) throw fail('QuarantineNotFound', { quarantine: id, kept: 'none' });
  const file = await openingQuarantined(call, user, id, stored);
  const { header, publicPart } = file.decoded;
  const before = present?.publicPart ?? noContent;
  const items = undoItems(before, publicPart);
  const setAside = present === undefined ? null : String(present.stored.epoch);
  const uninstall = await uninstallable(store, publicPart);
  const result = (now: number, aside: string | null): UndoResult => ({
    account: platform.account.id,
    kind: 'Quarantine',
    restored: generation,
    generation: now,
    setAside: aside,
    items,
    featuresActive: activeIn(publicPart.features),
    uninstall,
  });
  warnOfUse(call, publicPart.credentials, items);
  return {
    plan: {
      action: 'Bring an environment back from quarantine',
      target: `quarantine ${id} of ${platform.account.name}`,
      impact: 'high',
      lines: [
        `The environment in quarantine ${id} (Basic User Key ${shortName(header.basicUserKey)}) comes back as it was, under its own password.`,
        present === undefined
          ? 'There is no environment here now.'
          : `The present one (Basic User Key ${present.basicUserKey.slice(4, 16)}) goes to quarantine as a whole, under its password. Both remain.`,
        ...undoLines(items, `quarantine ${setAside ?? ''}`),
        ...uninstallLines(uninstall),
        'Grants and revocations on this computer stay as they are now.',
      ],
      facts: {
        ...presentFacts(user),
        kind: 'Quarantine',
        quarantine: id,
        returning: toHex(sha256(stored.bytes)),
        items: itemFacts(items),
        uninstall,
      },
    },
    preview: result(generation, setAside),
    apply: async () => {
      const exchanged = await exchange(call, user, id, stored);
      const grants = publicPart.grants.map((bytes) => decodeGrant(bytes, stored.path));
      await register(call, platform, header.basicUserKey, header.nonce, publicPart.rootAuthority, grants);
      await record(call, 'user', {
        operation: 'undo',
        account: platform.account,
        platform: platform.ids.platformId,
        facts: {
          kind: 'Quarantine',
          restored: `quarantine ${id}`,
          basicUserKey: tpmName(header.basicUserKey),
          epoch: String(exchanged.epoch),
          generation: String(exchanged.generation),
          ...(exchanged.setAside === null ? {} : { setAside: exchanged.setAside }),
        },
      });
      return result(exchanged.generation, exchanged.setAside);
    },
  };
}

/** Opens it with its own password, and closes it again: it is well, and its owner is here. */
async function openingQuarantined(
  call: Call,
  user: User,
  id: string,
  stored: StoredGeneration,
): Promise<Pick<PlaceFile, 'stored' | 'decoded'>> {
  const decoded = decodeGeneration(stored.bytes, stored.path);
  const { header } = decoded;
  const problem = misplaced(header, stored.generation);
  if (problem !== undefined) throw fail('EnvironmentDamaged', { path: stored.path, problem });
  if (header.platformId !== user.platform.ids.platformId) {
    throw fail('EnvironmentOfOtherPlatform', { path: stored.path });
  }
  const whose = `the environment in quarantine ${id}`;
  const root = await call.secrets.root('password', header.passwordSalt, `the one of ${whose}`);
  const meant = { which: `it is not the one of ${whose}`, whose };
  const open = () => openWith(user.platform, { decoded, stored }, new UserKeys(root), whose);
  const opened = await tryPassword(call, user, meant, ofEnvironment(header), open);
  await opened.dispose();
  return { stored, decoded };
}

/** One switch. `PlanOutdated` where either environment is not the one that was planned on. */
async function exchange(
  call: Call,
  user: User,
  id: string,
  planned: StoredGeneration,
): Promise<{ readonly epoch: number; readonly generation: number; readonly setAside: string | null }> {
  const { store } = user;
  return store.withLock(async (writer) => {
    await requireUnchanged(writer, user);
    const [newest] = await store.quarantinedGenerations(id);
    const again = await store.quarantinedGeneration(id, planned.generation);
    if (newest !== planned.generation || again === undefined || !equal(again.bytes, planned.bytes)) {
      throw fail('PlanOutdated');
    }
    requireNotInterrupted(call);
    const { now, setAside } = await writer.exchange(id);
    const written = await store.current();
    if (written === undefined || !equal(written.bytes, planned.bytes)) {
      const problem = 'what came back is not what was set aside';
      throw fail('EnvironmentDamaged', { path: store.path, problem });
    }
    return { ...now, setAside: setAside?.id ?? null };
  });
}

function shortName(basicUserKey: Uint8Array): string {
  return tpmName(basicUserKey).slice(4, 16);
}
