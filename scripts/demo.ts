/**
 * `npm run demo`: a person's environment moves from computer A to B, and on to C after A is gone, through the real module,
 * the real executable and a PowerShell engine; each time with the grant that it needs, and refused where there is none.
 * Three simulated computers on this machine (rehearsals), all in one temporary folder that is removed at the end: with
 * software chips, or with `--chip tpm2` each with a TPM of its own, simulated by swtpm.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { builtModule } from '../test/testkit/executable.ts';
import { engine } from '../test/testkit/powershell.ts';
import { hasSwtpm } from '../test/testkit/swtpm.ts';
import { Narrator } from './demo/narrator.ts';
import type { DemoChip } from './demo/simulated-computer.ts';
import { Demonstration } from './demo/story.ts';

const usage = `Usage: npm run demo [-- --chip software|tpm2]

  --chip software   each computer has a software chip; this is the default
  --chip tpm2       each computer has a TPM 2.0 of its own, simulated by swtpm
`;

/** It cannot begin, and this is what the person can do about it. */
class Obstacle extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

async function main(): Promise<void> {
  const began = performance.now();
  const chip = chosenChip(process.argv.slice(2));
  const say = new Narrator();
  if (chip === 'tpm2' && !hasSwtpm()) {
    throw new Obstacle(
      'No swtpm, which simulates a TPM: install it (Debian and Ubuntu: apt-get install swtpm) and run it again, or run\n' +
        'the demonstration with software chips: npm run demo',
    );
  }
  const found = engine();
  if (found === undefined) {
    throw new Obstacle(
      'No PowerShell engine: the demonstration needs the .NET SDK (then run it again), or pwsh.',
    );
  }
  say.title('Migrating a security environment: nobody can do it alone');
  say.text(
    `PowerShell engine: ${found.kind}. Every computer below is simulated on this one (a "rehearsal").`,
  );
  if (chip === 'tpm2') say.text('Each of them has a TPM 2.0 of its own, simulated by swtpm.');
  const module = join(await builtModule(), 'SPMigration.psd1');
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-demo-'));
  const demonstration = new Demonstration({ folder, module, chip, say });
  // Whatever ends it early (Ctrl+C, a broken pipe) leaves nothing behind either.
  process.once('exit', () => {
    demonstration.cutPower();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  try {
    await demonstration.run();
  } finally {
    await demonstration.close();
    await rm(folder, { recursive: true, force: true });
  }
  say.text(`Done in ${Math.round((performance.now() - began) / 1000)} s; nothing is left behind.`);
}

function chosenChip(args: readonly string[]): DemoChip {
  const { chip } = parsed(args);
  if (chip === 'software' || chip === 'tpm2') return chip;
  throw new Obstacle(usage, 2);
}

function parsed(args: readonly string[]): { readonly chip: string } {
  try {
    return parseArgs({ args: [...args], options: { chip: { type: 'string', default: 'software' } } }).values;
  } catch {
    throw new Obstacle(usage, 2);
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Obstacle)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
