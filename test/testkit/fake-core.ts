/**
 * A stand-in for the executable that speaks the process protocol from a script: what it says, how slowly, and how it fails
 * are a test's to choose. The module finds it because it starts whatever is called `spmigration` in its own `bin` folder.
 * `startFakeCore` runs in the child; `placeFakeCore` puts one into a module folder. Leaves out all cryptography and files.
 */
import { appendFileSync, chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { requireLane, windowsLane, windowsNode, windowsPath } from './windows/lane.ts';

/** One act of an answer. Records get the request's id by themselves. */
export type Act =
  | { readonly record: Readonly<Record<string, unknown>> }
  /** Raw bytes, base64, behind a `secret` record. */
  | { readonly raw: string }
  | { readonly waitMs: number }
  | { readonly stderr: string }
  | { readonly exit: number }
  /** Says nothing more, and does not even end when its input does. */
  | { readonly hang: true };

export interface Scenario {
  /** What `hello` says; the module's own version by default. */
  readonly version: string;
  /**
   * Acts for `operation` or `operation:mode`, closed by an `end` unless they end the process or hang. `#2` behind it is for
   * the second such request of a child only.
   */
  readonly answers: Readonly<Record<string, readonly Act[]>>;
  /** Acts instead of the greeting, for a core that cannot even start. */
  readonly start?: readonly Act[];
  /** Answers that differ in the n-th child that is started, from 0. */
  readonly children?: readonly (Readonly<Record<string, readonly Act[]>> | undefined)[];
  readonly idleMs?: number;
}

/** What a fake core was asked, in order. */
export interface Asked {
  readonly child: number;
  readonly pid: number;
  readonly operation: string;
  readonly mode: string;
  readonly planId?: string;
  /** The plan is only looked at. */
  readonly whatIf?: boolean;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Secrets as text. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface FakeCore {
  /** Path of the program that the module starts. */
  readonly program: string;
  script(scenario: Scenario): void;
  asked(): readonly Asked[];
  /** Process ids of every child that was started. */
  pids(): readonly number[];
}

/** Puts a fake core into a built module's folder. */
export function placeFakeCore(moduleFolder: string): FakeCore {
  const launcher = windowsLane() === undefined ? placeScript(moduleFolder) : placeStandIn(moduleFolder);
  const log = `${launcher}.log`;
  const lines = (): readonly (Asked | Started)[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Asked | Started);
  return {
    program: launcher,
    script: (scenario) => {
      writeFileSync(`${launcher}.json`, JSON.stringify(scenario));
      writeFileSync(log, '');
    },
    asked: () => lines().filter((line): line is Asked => 'operation' in line),
    pids: () => lines().flatMap((line) => ('started' in line ? [line.started] : [])),
  };
}

function placeScript(moduleFolder: string): string {
  const launcher = join(moduleFolder, 'bin/linux-x64/spmigration');
  mkdirSync(dirname(launcher), { recursive: true });
  writeFileSync(
    launcher,
    `#!/bin/sh\nexec '${process.execPath}' --no-warnings '${import.meta.filename}' "$0"\n`,
  );
  chmodSync(launcher, 0o755);
  return launcher;
}

/** Windows starts no scripts: a program that starts Node for Windows with this one (`windows/native/stand-in.c`). */
function placeStandIn(moduleFolder: string): string {
  const launcher = join(moduleFolder, 'bin/win-x64/spmigration.exe');
  mkdirSync(dirname(launcher), { recursive: true });
  copyFileSync(join(requireLane().native, 'stand-in.exe'), launcher);
  // In one file and without types it starts in two thirds of the time. The child itself has no use for esbuild.
  const { buildSync } = createRequire(import.meta.url)('esbuild') as typeof import('esbuild');
  const bundle = `${launcher}.mjs`;
  buildSync({
    entryPoints: [import.meta.filename],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  const [node, script, self] = [windowsNode(), bundle, launcher].map(windowsPath);
  writeFileSync(`${launcher}.start`, `"${node}" --no-warnings "${script}" "${self}"`);
  return launcher;
}

interface Started {
  readonly started: number;
}

interface Request {
  readonly id: number;
  readonly cmd: string;
  readonly mode: string;
  readonly planId?: string;
  readonly whatIf?: boolean;
  readonly params: Readonly<Record<string, unknown>>;
  readonly secrets: readonly { readonly name: string; readonly bytes: number }[];
}

async function startFakeCore(launcher: string): Promise<void> {
  const scenario = JSON.parse(readFileSync(`${launcher}.json`, 'utf8')) as Scenario;
  const log = `${launcher}.log`;
  const child = readFileSync(log, 'utf8').split('"started"').length - 1;
  appendFileSync(log, `${JSON.stringify({ started: process.pid })}\n`);
  await perform(scenario.start ?? [{ record: { t: 'hello', protocol: 1, version: scenario.version } }], {});
  const input = new Input();
  const counts = new Map<string, number>();
  for (;;) {
    const line = await input.until((bytes) => bytes.indexOf(0x0a) + 1, scenario.idleMs ?? 10_000);
    if (line === undefined) return;
    const request = JSON.parse(line.toString('utf8')) as Request;
    const secrets: Record<string, string> = {};
    for (const { name, bytes } of request.secrets) {
      const secret = bytes === 0 ? Buffer.alloc(0) : await input.until(() => bytes, 10_000);
      secrets[name] = secret?.toString('utf8') ?? '';
    }
    const { cmd: operation, mode, planId, whatIf, params: parameters } = request;
    const asked = { child, pid: process.pid, operation, mode, planId, whatIf, parameters, secrets };
    appendFileSync(log, `${JSON.stringify(asked)}\n`);
    const answers = { ...scenario.answers, ...scenario.children?.[child] };
    const exact = `${operation}:${mode}`;
    const count = (counts.get(exact) ?? 0) + 1;
    counts.set(exact, count);
    const names = [`${exact}#${count}`, `${operation}#${count}`, exact, operation];
    const acts = names.map((name) => answers[name]).find((found) => found !== undefined) ?? [];
    const failed = acts.some((act) => 'record' in act && act.record.t === 'error');
    await perform(acts, { id: request.id });
    await perform([{ record: { t: 'end', ok: !failed } }], { id: request.id });
  }
}

async function perform(acts: readonly Act[], common: { readonly id?: number }): Promise<void> {
  for (const act of acts) {
    if ('record' in act) process.stdout.write(`${JSON.stringify({ ...common, ...act.record })}\n`);
    else if ('raw' in act) process.stdout.write(Buffer.from(act.raw, 'base64'));
    else if ('waitMs' in act) await new Promise((resolve) => setTimeout(resolve, act.waitMs));
    else if ('stderr' in act) process.stderr.write(act.stderr);
    else if ('exit' in act) process.exit(act.exit);
    else await new Promise((resolve) => setTimeout(resolve, 120_000));
  }
}

/** Standard input, in pieces of known length; undefined at its end or after `idleMs`. */
class Input {
  #held = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  constructor() {
    process.stdin.on('data', (chunk: Buffer) => {
      this.#held = Buffer.concat([this.#held, chunk]);
      this.#wake();
    });
    process.stdin.on('end', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  async until(length: (held: Buffer) => number, idleMs: number): Promise<Buffer | undefined> {
    const deadline = setTimeout(() => process.exit(0), idleMs);
    try {
      for (;;) {
        const wanted = length(this.#held);
        if (wanted > 0 && this.#held.length >= wanted) {
          const piece = this.#held.subarray(0, wanted);
          this.#held = this.#held.subarray(wanted);
          return piece;
        }
        if (this.#ended) return undefined;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(deadline);
    }
  }
}

const launcher = process.argv[2];
if (launcher !== undefined && import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await startFakeCore(launcher);
}
