/**
 * Two simulated computers on TPMs in the middle of a migration, made once and copied with their TPMs for each test, which may
 * then clear, fill, lock or cut them off: PC-A with a person who has a credential, a grant for PC-B and an archive for it; PC-B
 * without a person; PC-N that was never initialized.
 */
import { chmod, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { createTpm2Chip } from '../../core/src/adapters/chip-tpm2/tpm2-chip.ts';
import type { OpenTransport } from '../../core/src/adapters/chip-tpm2/transport/transport.ts';
import type { OperationName, ParameterValues } from '../../core/src/operations/registry.ts';
import type { SecretName } from '../../core/src/operations/secrets.ts';
import type { ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import type {
  ArchiveResult,
  CheckResult,
  CredentialResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import { Computer } from './computer.ts';
import { random, Swtpm } from './swtpm.ts';
import { grant, ownerPassword, password, refused } from './world.ts';

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

/**
 * A copy for one test, with TPMs of its own that forgive everything for the computers it is about. The others are the template's,
 * for the test to leave alone.
 */
export async function copyField(
  made: Field,
  ...about: readonly (keyof Pick<Field, 'a' | 'b' | 'n'>)[]
): Promise<Field> {
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-field-'));
  onTestFinished(async () => {
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true, force: true });
  });
  await cp(made.folder, folder, { recursive: true, preserveTimestamps: true });
  const copy = async ({ computer, tpm }: FieldComputer): Promise<FieldComputer> => {
    const own = await tpm.copy();
    onTestFinished(() => own.stop());
    await own.forgiveTries();
    const home = join(folder, basename(computer.home));
    return { computer: await Computer.at(home, {}, undefined, own.address), tpm: own };
  };
  const share = join(folder, 'share');
  const copies: Partial<Record<(typeof about)[number], FieldComputer>> = {};
  for (const name of about) copies[name] = await copy(made[name]);
  return { ...made, folder, share, archive: join(share, archiveName), ...copies };
}

/** An operation with all that it needs to work. */
export interface Asked {
  readonly of: FieldComputer;
  readonly operation: OperationName;
  readonly parameters?: ParameterValues;
  readonly secrets?: Readonly<Partial<Record<SecretName, string>>>;
}

export const newPassword = 'ein neues Passwort äöü 3';

/** Everything that works on the chip of a platform that is set up, each with what it needs. */
export function askingTheChip({ a, b, share, archive }: Field): readonly Asked[] {
  const secrets = { password };
  const credential = 'Anna Müller';
  const features = { of: a, parameters: { feature: 'Efs', credential }, secrets } as const;
  return [
    { of: b, operation: 'user-initialize', secrets },
    { of: b, operation: 'import', parameters: { path: archive }, secrets },
    { of: a, operation: 'user-password', secrets: { password, newPassword } },
    { of: a, operation: 'user-new-key', secrets: { password, newPassword } },
    { of: a, operation: 'credential-new', parameters: { subject: 'New', algorithm: 'P-256' }, secrets },
    { ...features, operation: 'feature-enable' },
    { of: a, operation: 'feature-disable', parameters: { feature: 'SecureEmail' }, secrets },
    { of: a, operation: 'export', parameters: { path: share, destination: 'PC-B' }, secrets },
    { of: a, operation: 'undo', secrets },
    {
      of: a,
      operation: 'credential-install',
      parameters: { credential, allowUnprotectedStore: true },
      secrets: { password, oneTimeSecret: '07'.repeat(32) },
    },
    { of: a, operation: 'identity-export', parameters: { path: share, overwrite: true } },
  ];
}

/** One of them. */
export function asking(field: Field, operation: OperationName): Asked {
  const found = askingTheChip(field).find((one) => one.operation === operation);
  if (found === undefined) throw new Error(`${operation} does not ask the chip`);
  return found;
}

export function ask({ of, operation, parameters, secrets }: Asked): Promise<readonly unknown[]> {
  return of.computer.run(operation, parameters, secrets);
}

export const statusOf = ({ computer }: FieldComputer): Promise<StatusResult> =>
  computer.one<StatusResult>('status');

/** What Test-SPMigration says of the chip. */
export async function chipCheck({ computer }: FieldComputer): Promise<CheckResult> {
  const checks = await computer.run<CheckResult>('platform-test');
  const found = checks.find(({ name }) => name === 'Chip');
  if (found === undefined) throw new Error('the chip is not tested');
  return found;
}

/** Every operation that works on the chip is refused so on these computers, and status and test say it, too. */
export async function expectEverywhere(
  field: Field,
  code: ErrorCode,
  fact: RegExp,
  on: readonly FieldComputer[] = [field.a, field.b],
): Promise<void> {
  for (const asked of askingTheChip(field).filter(({ of }) => on.includes(of))) {
    const error = await refused(field, code, () => ask(asked));
    expect(error.message).toMatch(fact);
  }
  for (const one of on) {
    expect((await statusOf(one)).chipProblem).toMatch(fact);
    expect(await chipCheck(one)).toMatchObject({ passed: false, code });
  }
}

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
                return Promise.resolve();
              },
              recorded,
              platformPath: computer.ports.platform.path,
            }),
          ),
  };
  return waits;
}
