/**
 * Sets the Windows lane up: whatever is missing or out of date, and nothing else. Two rows of steps run beside each other, what
 * needs the network and Wine in one, what is built from the project in the other; each step is told with its time. Needs no
 * rights of root; started as root it gives what the tests write to the account that runs them.
 */
import { createHash } from 'node:crypto';
import { chown, copyFile, cp, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freshModule, makeFresh, stateOf } from '../build/freshness.ts';
import { filesOf } from '../build/platform.ts';
import { ENGINE_SOURCES, isEngineSource, publishEngine } from './engine.ts';
import { type Account, Lane, WINDOWS_USER, WORKERS } from './lane.ts';
import { writeLaunchers } from './launchers.ts';
import { buildNative, NATIVE_SOURCES } from './native.ts';
import { fetchPackages, packageFiles } from './packages.ts';
import { alignFile } from './page-aligned.ts';
import { makePrefixes, system32 } from './prefix.ts';
import { PACKAGES, RELEASE } from './trixie.ts';
import { unpackWine } from './wine.ts';

export interface SetUp {
  readonly folder: string;
  /** Whose the tests' part is; undefined for this process's account. */
  readonly account: Account | undefined;
  readonly say: (line: string) => void;
}

export async function setUpLane({ folder, account, say }: SetUp): Promise<Lane> {
  const lane = new Lane(folder);
  await mkdir(lane.folder, { recursive: true });
  const step = async (name: string, work: () => Promise<boolean>): Promise<void> => {
    const began = performance.now();
    const made = await work();
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    say(`${name}: ${made ? `${seconds} s` : 'there already'}`);
  };
  await Promise.all([provideWine(lane, account, step, say), buildParts(lane, step)]);
  for (let worker = 1; worker <= WORKERS; worker++) await placeTbs(lane, worker, account);
  await writeLaunchers(lane, {
    pshost: join(lane.engine, 'pshost.exe'),
    spmigration: executableIn(lane.module),
    node: lane.node,
  });
  return lane;
}

/**
 * Where Windows has TPM Base Services there is the lane's stand-in. Wine takes its own, without a TPM, unless a test says
 * otherwise (WINEDLLOVERRIDES).
 */
async function placeTbs(lane: Lane, worker: number, account: Account | undefined): Promise<void> {
  const library = join(lane.prefix(worker), system32, 'tbs.dll');
  await copyFile(join(lane.native, 'tbs.dll'), library);
  if (account !== undefined) await chown(library, account.uid, account.gid);
}

type Step = (name: string, work: () => Promise<boolean>) => Promise<void>;

async function provideWine(
  lane: Lane,
  account: Account | undefined,
  step: Step,
  say: (line: string) => void,
): Promise<void> {
  const packages = digest(RELEASE, JSON.stringify(PACKAGES), await source('packages.ts'));
  const unpacking = digest(await source('wine.ts'), await source('page-aligned.ts'));
  const prefixes = await source('prefix.ts');
  await step('packages of Wine', () =>
    makeFresh(lane.packages, packages, async () => {
      await fetchPackages(lane, say);
    }),
  );
  // The folder counts, because Wine's programs are bound to it.
  const wine = digest(packages, unpacking, lane.folder);
  await step('Wine', () =>
    makeFresh(lane.wine, wine, async () => unpackWine(lane, await packageFiles(lane))),
  );
  const owner = account === undefined ? 'own' : `${account.uid}`;
  await step('Windows', () =>
    makeFresh(lane.user, digest(wine, prefixes, owner, WINDOWS_USER, `${WORKERS}`), () =>
      makePrefixes(lane, account),
    ),
  );
}

async function buildParts(lane: Lane, step: Step): Promise<void> {
  await step('native programs', async () =>
    makeFresh(lane.native, await digestOf(NATIVE_SOURCES, 'native.ts'), () => buildNative(lane)),
  );
  await step('engine', async () => {
    const state = await stateOf([ENGINE_SOURCES, 'scripts/windows/engine.ts'], isEngineSource);
    return makeFresh(lane.engine, state, () => publishEngine(lane));
  });
  const { runtime, binary } = filesOf('win-x64');
  await step('Node for Windows', async () => {
    const state = digest(
      JSON.stringify(filesOf('win-x64')),
      process.version,
      await source('page-aligned.ts'),
    );
    return makeFresh(lane.node, state, () => alignFile(join(runtime, binary), lane.node));
  });
  await step('executable and module', async () => {
    const module = await freshModule('win-x64');
    const state = digest(await readFile(`${module}.stamp`, 'utf8'), await source('page-aligned.ts'));
    return makeFresh(lane.module, state, async () => {
      await rm(lane.module, { recursive: true, force: true });
      await cp(module, lane.module, { recursive: true });
      await alignFile(executableIn(module), executableIn(lane.module));
    });
  });
}

/** Where a module folder has the Windows executable. */
function executableIn(module: string): string {
  return join(module, 'bin/win-x64', filesOf('win-x64').executable);
}

async function digestOf(sources: readonly string[], builder: string): Promise<string> {
  return stateOf([...sources, `scripts/windows/${builder}`]);
}

function source(name: string): Promise<string> {
  return stateOf([`scripts/windows/${name}`]);
}

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}
