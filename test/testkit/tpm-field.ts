/**
 * Two simulated computers on TPMs in the middle of a migration, made once and copied with their TPMs for each test, which may
 * then clear, fill, lock or cut them off: PC-A with a person who has a credential, a grant for PC-B and an archive for it; PC-B
 * without a person; PC-N that was never initialized.
 */
import { chmod, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { createTpm2Chip } from '../../core/src/adapters/chip-tpm2/tpm2-chip.ts';
import type { OpenTransport } from '../../core/src/adapters/chip-tpm2/transport/transport.ts';
import type { ArchiveResult, CredentialResult } from '../../core/src/operations/results.ts';
import { Computer } from './computer.ts';
import { random, Swtpm } from './swtpm.ts';
import { grant, ownerPassword, password } from './world.ts';

export interface FieldComputer {
  readonly computer: Computer;
  readonly tpm: Swtpm;
}

export interface Field {
  readonly folder: string;
  readonly share: string;
  readonly archive: string;
  readonly a: FieldComputer;
  readonly b: FieldComputer;
  readonly n: FieldComputer;
}

const names = ['PC-A', 'PC-B', 'PC-N'] as const;
const archiveName = 'from PC-A to PC-B.sparc';

/** Makes the template; the caller removes it (`removeField`). */
export async function makeField(type: 'ECC' | 'RSA' = 'ECC'): Promise<Field> {
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-field-'));
  const share = join(folder, 'share');
  await mkdir(share, { mode: 0o700 });
  const make = async (name: string): Promise<FieldComputer> => {
    const tpm = await Swtpm.start();
    if (type === 'RSA') await tpm.makeStorageKey('RSA');
    await mkdir(join(folder, name), { mode: 0o700 });
    return { computer: await Computer.at(join(folder, name), {}, undefined, tpm.address), tpm };
  };
  const [a, b, n] = [await make('PC-A'), await make('PC-B'), await make('PC-N')];
  for (const { computer } of [a, b]) await computer.run('platform-initialize', {}, { ownerPassword });
  await a.computer.run('user-initialize', {}, { password });
  const { credential } = await a.computer.one<CredentialResult>(
    'credential-new',
    { subject: 'Anna Müller', algorithm: 'P-256' },
    { password },
  );
  await a.computer.run('feature-enable', { feature: 'SecureEmail', credential }, { password });
  await grant({ share }, a.computer, b.computer, { allowUnattested: true });
  const path = join(share, archiveName);
  const { path: archive } = await a.computer.one<ArchiveResult>(
    'export',
    { path, destination: 'PC-B' },
    { password },
  );
  return { folder, share, archive, a, b, n };
}

export async function removeField({ folder, a, b, n }: Field): Promise<void> {
  for (const { tpm } of [a, b, n]) await tpm.stop();
  await rm(folder, { recursive: true, force: true });
}

/** A copy for one test, with TPMs of its own that forgive everything. */
export async function copyField(made: Field): Promise<Field> {
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-field-'));
  onTestFinished(async () => {
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true, force: true });
  });
  await cp(made.folder, folder, { recursive: true, preserveTimestamps: true });
  const copy = async (of: FieldComputer): Promise<FieldComputer> => {
    const tpm = await of.tpm.copy();
    onTestFinished(() => tpm.stop());
    await tpm.forgiveTries();
    const home = join(folder, basename(of.computer.home));
    return { computer: await Computer.at(home, {}, undefined, tpm.address), tpm };
  };
  const share = join(folder, 'share');
  const [a, b, n] = [await copy(made.a), await copy(made.b), await copy(made.n)];
  return { folder, share, archive: join(share, archiveName), a, b, n };
}

export const fieldNames: readonly string[] = names;

/** Waits that were asked for, in milliseconds; nobody really waits for them. */
export type Waits = number[];

/** Lets a computer reach its TPM in another way, and answers how long it would have waited. */
export function reachBy({ computer }: FieldComputer, open: OpenTransport): Waits {
  const waits: Waits = [];
  const { chip } = computer.ports;
  computer.ports = {
    ...computer.ports,
    chip: (kind, recorded) =>
      kind !== 'tpm2'
        ? chip(kind, recorded)
        : Promise.resolve(
            createTpm2Chip({
              find: () => open,
              random,
              delay: (milliseconds) => {
                waits.push(milliseconds);
                return delay(0);
              },
              recorded,
              platformPath: computer.ports.platform.path,
            }),
          ),
  };
  return waits;
}
