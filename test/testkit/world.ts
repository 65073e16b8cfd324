/**
 * Three simulated computers in the middle of a migration: PC-A with a person's environment, PC-B that was granted, PC-C
 * that was not. Built once and copied for each test, so that a test may break whatever it likes. Also the question that
 * every refusal is asked: which code, does its text say something, and did it really change nothing?
 */
import { createHash } from 'node:crypto';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import { isSPMigrationError, type SPMigrationError } from '../../core/src/domain/error.ts';
import type {
  AccessResult,
  ArchiveResult,
  CredentialResult,
  IdentityResult,
} from '../../core/src/operations/results.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
import { Computer } from './computer.ts';

export const password = 'Basic User Passwort äöü 1';
export const ownerPassword = 'Owner Password 2';

export interface World {
  readonly folder: string;
  /** The share between the computers: identities, grants, archives. */
  readonly share: string;
  readonly a: Computer;
  readonly b: Computer;
  readonly c: Computer;
}

export interface MadeWorld {
  readonly world: World;
  readonly credential: CredentialResult;
  readonly access: AccessResult;
  readonly archive: ArchiveResult;
  /** Paths inside the share by their base names; use `file(world, name)` in a copy. */
  readonly identity: IdentityResult;
}

/** Makes a world in a new folder; the caller removes it (`removeWorld`). */
export async function makeWorld(): Promise<MadeWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-world-'));
  const share = join(folder, 'share');
  await mkdir(share, { mode: 0o700 });
  const [a, b, c] = [
    await makeComputer(folder, 'PC-A'),
    await makeComputer(folder, 'PC-B'),
    await makeComputer(folder, 'PC-C'),
  ];
  const world = { folder, share, a, b, c };
  await a.run('user-initialize', {}, { password });
  const credential = await a.one<CredentialResult>(
    'credential-new',
    { subject: 'Anna Müller', emailAddress: ['anna@example.org'], algorithm: 'P-256' },
    { password },
  );
  await a.run('feature-enable', { feature: 'SecureEmail', credential: credential.credential }, { password });
  const identity = await b.one<IdentityResult>('identity-export', { path: share });
  const access = await grant(world, a, b);
  const archive = await a.one<ArchiveResult>('export', { path: share, destination: 'PC-B' }, { password });
  return { world, credential, access, archive, identity };
}

/** A platform with a local owner, named by its folder. */
export async function makeComputer(folder: string, name: string): Promise<Computer> {
  const home = join(folder, name);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const computer = await Computer.at(home);
  await computer.run('platform-initialize', {}, { ownerPassword });
  return computer;
}

/** A copy for one test, removed at its end. */
export async function copyWorld({ world }: MadeWorld): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-world-'));
  onTestFinished(() => removeFolder(folder));
  await cp(world.folder, folder, { recursive: true, preserveTimestamps: true });
  const at = (computer: Computer): Promise<Computer> =>
    Computer.at(join(folder, relative(world.folder, computer.home)));
  const [a, b, c] = [await at(world.a), await at(world.b), await at(world.c)];
  return { folder, share: join(folder, 'share'), a, b, c };
}

export async function removeWorld({ world }: MadeWorld): Promise<void> {
  await removeFolder(world.folder);
}

/** The grant of `source`'s owner for `destination`. */
export async function grant(
  world: Pick<World, 'share'>,
  source: Computer,
  destination: Computer,
  parameters: ParameterValues = {},
): Promise<AccessResult> {
  const identity = await destination.one<IdentityResult>('identity-export', {
    path: world.share,
    overwrite: true,
  });
  return source.one<AccessResult>(
    'access-grant',
    { path: identity.path, fingerprint: identity.fingerprint, ...parameters },
    { ownerPassword },
  );
}

/** Only these may change when a password is wrong: advisory counters (docs/spec/environment-store.md, "State files"). */
const advisory: readonly string[] = ['attempts', 'owner-attempts'];

/**
 * SHA-256, mode and path of every file below a folder and of the folders they lie in, one line each, sorted. Advisory
 * counters, and folders that hold nothing else, are left out.
 */
export async function fingerprintOf(
  folder: string,
  ignored: readonly string[] = advisory,
): Promise<readonly string[]> {
  const lines = new Set<string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory() || ignored.includes(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    const content = entry.isSymbolicLink() ? await readlink(path) : await sha256Of(path);
    lines.add(`${relative(folder, path)} ${await modeOf(path)} ${content}`);
    for (let above = entry.parentPath; above !== folder; above = dirname(above))
      lines.add(`${relative(folder, above)} ${await modeOf(above)}`);
  }
  return [...lines].sort();
}

/** The same without the histories: they may say that something was tried (docs/spec/history.md, "What is recorded"). */
export function stateOf(folder: string): Promise<readonly string[]> {
  return fingerprintOf(folder, [...advisory, 'history']);
}

async function sha256Of(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}

async function modeOf(path: string): Promise<string> {
  return (await lstat(path)).mode.toString(8);
}

/** Every text of an error is complete: no placeholder was left without its fact. */
export function expectComplete(error: Pick<SPMigrationError, 'message' | 'hint'>): void {
  expect(error.message).not.toMatch(/\(\w+ unknown\)|\{\w+\}|undefined/);
  expect(error.hint).not.toMatch(/\(\w+ unknown\)|\{\w+\}|undefined/);
  expect(error.hint.length).toBeGreaterThan(5);
}

/**
 * Expects that `attempt` is refused with exactly this code, that fact and next step are said, and that not one byte below
 * the world's folder changed. Answers the error.
 */
export async function refused(
  world: Pick<World, 'folder'>,
  code: ErrorCode,
  attempt: () => Promise<unknown>,
): Promise<SPMigrationError> {
  const state = () => stateOf(world.folder);
  const before = await state();
  const error = await rejection(attempt);
  expect({ code: error.code, message: error.message }).toEqual({ code, message: error.message });
  expectComplete(error);
  expect(await state()).toEqual(before);
  return error;
}

/** The catalogue error that `attempt` ends with; anything else fails the test. */
export async function rejection(attempt: () => Promise<unknown>): Promise<SPMigrationError> {
  let value: unknown;
  try {
    value = await attempt();
  } catch (error) {
    if (isSPMigrationError(error)) return error;
    throw error;
  }
  throw new Error(`it was accepted: ${JSON.stringify(value)}`);
}

async function removeFolder(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  await rm(folder, { recursive: true, force: true });
}
