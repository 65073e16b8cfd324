/**
 * Makes one executable out of a bundle and a platform's Node, by Node's own `--build-sea`, which writes for Windows on
 * Linux as well. Equal sources, packages and tools give equal bytes: no code cache, no snapshot, no time of build.
 * docs/decisions/0002-executable.md has the reasons and the measurements. Leaves out: signing and packaging (scripts/package.ts).
 */
import { spawnSync } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Bundle } from './bundle.ts';
import { type Platform, ROOT, filesOf } from './platform.ts';
import { prepareWindowsRuntime } from './windows-runtime.ts';

export interface ExecutableRequest {
  readonly platform: Platform;
  readonly bundle: Bundle;
  /** Where the executable goes; replaced in one step, so that one that runs is not disturbed. */
  readonly output: string;
}

/** Relative names, because the main script's name is written into the executable as it is given. */
const MAIN = 'main.cjs';
const RUNTIME = 'runtime';
const CONFIG = 'sea.json';
const FINISHED = 'finished';

export async function buildExecutable(request: ExecutableRequest): Promise<void> {
  const { platform, bundle, output } = request;
  await mkdir(dirname(output), { recursive: true });
  const work = await mkdtemp(`${output}.work-`);
  try {
    await prepareRuntime(platform, join(work, RUNTIME));
    await writeParts(bundle, work);
    run(process.execPath, ['--build-sea', CONFIG], work);
    const finished = join(work, FINISHED);
    await chmod(finished, 0o755);
    await rename(finished, output);
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Checks that the platform's Node is installed and is the version that is running, and prepares it in `target`. */
async function prepareRuntime(platform: Platform, target: string): Promise<void> {
  const { runtime, binary } = filesOf(platform);
  const manifest = await readJson(join(runtime, 'package.json'));
  if (manifest.version !== process.versions.node) {
    // The blob's layout belongs to the version that writes it.
    throw new Error(
      `Node ${manifest.version} must build this, not ${process.versions.node}: use npm run build`,
    );
  }
  const source = join(runtime, binary);
  switch (platform) {
    case 'linux-x64':
      return stripped(source, target);
    case 'win-x64': {
      const { version } = await readJson(join(ROOT, 'package.json'));
      return writeFile(target, prepareWindowsRuntime(await readFile(source), version));
    }
  }
}

/** Symbols are a fifth of Node's binary. Without binutils the executable is larger, and otherwise the same. */
async function stripped(source: string, target: string): Promise<void> {
  const done = spawnSync('strip', ['--strip-all', '-o', target, source], { encoding: 'utf8' });
  if (done.error === undefined && done.status === 0) return;
  if (done.error === undefined) throw new Error(`strip: ${done.stderr}`);
  process.stderr.write('build: no strip (package binutils) here: the executable keeps its symbols\n');
  await copyFile(source, target);
}

/** Writes loader, chunks and configuration into `work`. */
async function writeParts(bundle: Bundle, work: string): Promise<void> {
  await writeFile(join(work, MAIN), bundle.main);
  const assets: Record<string, string> = {};
  for (const [name, text] of bundle.chunks) {
    assets[name] = name;
    await writeFile(join(work, name), text);
  }
  const settings = {
    main: MAIN,
    executable: RUNTIME,
    output: FINISHED,
    assets,
    disableExperimentalSEAWarning: true,
    // Made on Linux, a cache is refused on Windows with a warning; lazy chunks start as fast without one.
    useCodeCache: false,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // Otherwise NODE_OPTIONS=--require=... would run a stranger's code in our process.
    execArgvExtension: 'none',
  };
  await writeFile(join(work, CONFIG), JSON.stringify(settings));
}

async function readJson(file: string): Promise<{ version: string }> {
  return JSON.parse(await readFile(file, 'utf8')) as { version: string };
}

function run(program: string, args: readonly string[], cwd?: string): void {
  const done = spawnSync(program, args, { encoding: 'utf8', cwd });
  if (done.status === 0) return;
  throw new Error(`${[program, ...args].join(' ')}: ${done.error?.message ?? done.stdout + done.stderr}`);
}
