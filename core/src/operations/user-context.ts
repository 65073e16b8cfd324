/**
 * The calling user's environment on this platform: found without a password, unlocked with one, and changed by writing
 * a next generation. The key chain is password → root → chip → vault key → environment (docs/spec/environment-store.md).
 */
import { fail, hasCode } from '../domain/error.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import type { Environment, GenerationHeader, PublicPart } from '../domain/environment.ts';
import type { TpmName } from '../domain/ids.ts';
import { decodeGeneration, type DecodedGeneration } from '../format/generation-v1.ts';
import type { LoadedBasicUserKey } from '../ports/chip.ts';
import type {
  EnvironmentStore,
  EnvironmentWriter,
  GenerationId,
  PasswordAttempts,
  StoredGeneration,
  TriedPassword,
} from '../ports/environment-store.ts';
import {
  disposeKeys,
  openBasicUserKey,
  openGeneration,
  sealBasicUserKey,
  sealGeneration,
  type EnvironmentKeys,
} from '../sealing/environment.ts';
import { tpmName } from '../sealing/fingerprints.ts';
import { UserKeys } from '../sealing/user-keys.ts';
import { countingFailures, userTries } from './lock-out.ts';
import { surplusGenerations } from './retention.ts';
import { requireWritten } from './written.ts';
import type { Call } from './operation.ts';
import type { Platform } from './platform-context.ts';

/** What is here for the calling account. */
export interface User {
  readonly platform: Platform;
  readonly store: EnvironmentStore;
  readonly present: PresentEnvironment | undefined;
}

/** The current generation, read but not opened: its public part is unverified. */
export interface PresentEnvironment {
  readonly stored: StoredGeneration;
  readonly decoded: DecodedGeneration;
  readonly basicUserKey: TpmName;
  readonly publicPart: PublicPart;
}

/** An environment opened with the password. Dispose it on every path. */
export interface UnlockedEnvironment {
  readonly header: GenerationHeader;
  readonly environment: Environment;
  readonly loaded: LoadedBasicUserKey;
  readonly vaultKey: SecretBytes;
  readonly keys: UserKeys;
  dispose(): Promise<void>;
}

/** Finds the caller's environment. `ServiceAccount` unless allowed; `EnvironmentOfOtherPlatform`, `StoreNewer`, …. */
export async function findUser(call: Call, platform: Platform, allowServiceAccount = true): Promise<User> {
  if (!allowServiceAccount && (await call.ports.account.isServiceAccount())) {
    throw fail('ServiceAccount', { account: platform.account.name });
  }
  const store = call.ports.environment(platform.ids.platformId, platform.ids.storageKeyName);
  const stored = await store.current();
  return { platform, store, present: stored === undefined ? undefined : readPresent(stored, platform) };
}

/** The caller's environment; `UserNotInitialized` where there is none. */
export async function requireUser(
  call: Call,
  platform: Platform,
  allowServiceAccount = true,
): Promise<User & { readonly present: PresentEnvironment }> {
  const user = await findUser(call, platform, allowServiceAccount);
  if (user.present === undefined) throw fail('UserNotInitialized', { account: platform.account.name });
  return { ...user, present: user.present };
}

/** The same user where an environment is known to be here: a plan was made on it. */
export function presentUser(user: User): User & { readonly present: PresentEnvironment } {
  const { present } = user;
  if (present === undefined) throw fail('InternalError', { problem: 'there is no environment to change' });
  return { ...user, present };
}

function readPresent(stored: StoredGeneration, platform: Platform): PresentEnvironment {
  const decoded = decodeGeneration(stored.bytes, stored.path);
  if (decoded.header.platformId !== platform.ids.platformId) {
    throw fail('EnvironmentOfOtherPlatform', { path: stored.path });
  }
  return {
    stored,
    decoded,
    basicUserKey: tpmName(decoded.header.basicUserKey),
    publicPart: decoded.publicPart,
  };
}

/** Facts of a plan that change whenever the environment does. */
export function presentFacts(user: User): { readonly epoch: number; readonly generation: number } {
  const { epoch = 0, generation = 0 } = user.present?.stored ?? {};
  return { epoch, generation };
}

/** Opens the present environment with a password of this conversation. `PasswordRejected`, `LockedOut`. */
export async function unlock(
  call: Call,
  user: User & { readonly present: PresentEnvironment },
  password: 'password' | 'currentPassword' = 'password',
): Promise<UnlockedEnvironment> {
  const { decoded } = user.present;
  const { header } = decoded;
  const whose = `${user.platform.account.name} on ${user.platform.settings.computer}`;
  const root = await call.secrets.root(password, header.passwordSalt, `the Basic User Password of ${whose}`);
  const meant = { which: 'it is not the one of this environment', whose };
  const open = () => openWith(user.platform, user.present, new UserKeys(root), whose);
  return tryPassword(call, user, meant, ofEnvironment(header), open);
}

/** What tries at the password of an environment are counted under. */
export function ofEnvironment({ passwordSalt }: Pick<GenerationHeader, 'passwordSalt'>): TriedPassword {
  return { of: 'environment', passwordSalt };
}

/**
 * Opens an environment of this platform with the keys of its password; they are disposed with it, or when it does not open.
 * `PasswordRejected`, `StorageKeyChanged`, `EnvironmentDamaged`.
 */
export async function openWith(
  platform: Platform,
  { decoded, stored }: Pick<PresentEnvironment, 'decoded' | 'stored'>,
  keys: UserKeys,
  whose: string,
): Promise<UnlockedEnvironment> {
  const { header } = decoded;
  try {
    const blob = openBasicUserKey(header, platform.settings.chip, keys.atRest, whose);
    const loaded = await platform.chip.loadBasicUserKey(
      { public: header.basicUserKey, private: blob },
      keys.basicUserAuth,
    );
    try {
      const vaultKey = await loaded.openVaultKey(header.vaultKey, keys.vaultAuth);
      const environment = openGeneration(decoded, { vaultKey, atRest: keys.atRest }, stored.path);
      const dispose = async (): Promise<void> => {
        vaultKey.dispose();
        disposeKeys(environment);
        keys.dispose();
        await loaded.dispose();
      };
      return { header, environment, loaded, vaultKey, keys, dispose };
    } catch (error) {
      await loaded.dispose();
      throw error;
    }
  } catch (error) {
    keys.dispose();
    throw error;
  }
}

/**
 * Reads back what was just written and opens it with the keys it was written under, before anybody is told that it is done.
 * Answers its content. `EnvironmentDamaged` where the disk gave back something else.
 */
export async function readBack(
  user: User,
  root: SecretBytes,
): Promise<{ readonly generation: number; readonly environment: Environment }> {
  const stored = await user.store.current();
  if (stored === undefined) throw fail('InternalError', { problem: 'what was written is not there' });
  const decoded = decodeGeneration(stored.bytes, stored.path);
  const whose = user.platform.account.name;
  const opened = await openWith(user.platform, { decoded, stored }, new UserKeys(root), whose);
  await opened.dispose();
  return { generation: stored.generation, environment: opened.environment };
}

/**
 * Opens something with a password and counts failures, for each password by itself: one that somebody knows makes no room for
 * guesses at another. Chip and formats only know that it was wrong; which password was meant, and whose it is, is said here.
 */
export async function tryPassword<Value>(
  call: Call,
  user: User,
  meant: { readonly which: string; readonly whose: string },
  password: TriedPassword,
  open: () => Promise<Value>,
): Promise<Value> {
  const { store } = user;
  const attempts = {
    read: () => store.attempts(password),
    update: (change: (value: PasswordAttempts) => PasswordAttempts) => store.updateAttempts(password, change),
  };
  const isWrong = (error: unknown): boolean => hasCode(error, 'PasswordRejected');
  try {
    return await countingFailures(attempts, userTries, call.ports.clock(), isWrong, open);
  } catch (error) {
    throw isWrong(error) ? fail('PasswordRejected', meant, error) : error;
  }
}

/** `PlanOutdated` where the current generation is not the one that was planned on. */
export async function requireUnchanged(writer: EnvironmentWriter, user: User): Promise<void> {
  const now = await writer.current();
  const planned = user.present?.stored;
  if (now?.epoch !== planned?.epoch || now?.generation !== planned?.generation) throw fail('PlanOutdated');
}

/** `OperationInterrupted` where the caller gave up. Asked last before each point of commit. */
export function requireNotInterrupted(call: Call): void {
  if (call.signal.aborted) throw fail('OperationInterrupted');
}

/** Writes the next generation with this content under the present keys: the one way an environment changes. */
export async function commitEnvironment(
  call: Call,
  user: User & { readonly present: PresentEnvironment },
  unlocked: UnlockedEnvironment,
  environment: Environment,
): Promise<GenerationId> {
  const { header, keys, vaultKey } = unlocked;
  return user.store.withLock(async (writer) => {
    await requireUnchanged(writer, user);
    const { chip } = user.platform.settings;
    const keySalt = call.ports.random(16);
    const blob = openBasicUserKey(header, chip, keys.atRest, user.platform.account.name);
    const next: GenerationHeader = {
      ...header,
      generation: header.generation + 1,
      parent: header.generation,
      keySalt,
      basicUserKeyPrivate: sealBasicUserKey(blob, header.basicUserKey, keySalt, chip, keys.atRest),
    };
    const { publicPart, privatePart } = environment;
    const drop = await surplusGenerations(
      user.store,
      await writer.generations(),
      { publicPart, tombstones: privatePart.tombstones },
      (decoded, path) => opensWith({ vaultKey, atRest: keys.atRest }, decoded, path),
    );
    requireNotInterrupted(call);
    const sealed = sealGeneration(next, environment, { vaultKey, atRest: keys.atRest });
    const now = await writer.append(next.generation, sealed, drop);
    await requireWritten(user.store, now, { vaultKey, atRest: keys.atRest }, environment);
    return now;
  });
}

function opensWith(keys: EnvironmentKeys, decoded: DecodedGeneration, path: string): boolean {
  try {
    disposeKeys(openGeneration(decoded, keys, path));
    return true;
  } catch (error) {
    if (!hasCode(error, 'EnvironmentDamaged')) throw error;
    return false;
  }
}
