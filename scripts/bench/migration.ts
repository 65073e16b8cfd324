/**
 * What a migration costs beyond its password derivation (Argon2id is meant to be slow): export plus import of 50
 * credentials through the process protocol, and the most memory that an export holds. Leaves out the module's share.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Conversation } from './conversation.ts';
import { type Row, limitRow, median, timeOfArgon2 } from './harness.ts';

const ROUNDS = 7;
const CREDENTIALS = 50;
export const SECRETS = { ownerPassword: 'the owner is not the user', password: 'the user is not the owner' };

/** Two rehearsals: A with credentials and a grant for B, and B with nothing but its platform. */
export interface Computers {
  readonly folder: string;
  readonly source: string;
  readonly destination: string;
  readonly destinationName: string;
  readonly tpms: TpmAddresses;
}

/** Where the TPMs of the two listen, as SPMIGRATION_TPM says it; a computer without one has a software chip. */
export interface TpmAddresses {
  readonly source?: string;
  readonly destination?: string;
}

export async function migrationRows(executable: string): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'spmigration-bench-'));
  try {
    const computers = await prepareComputers(executable, folder, CREDENTIALS);
    const beyond: number[] = [];
    const peaks: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const argon2 = timeOfArgon2();
      const exported = await exportArchive(executable, computers, folder);
      const imported = await importArchive(executable, computers, exported.path, join(folder, `B-${round}`));
      beyond.push(exported.milliseconds + imported - 2 * argon2);
      peaks.push(exported.peakMegabytes);
    }
    const note = `median of ${ROUNDS}, ${CREDENTIALS} credentials, processes started`;
    return [
      limitRow('export + import beyond Argon2id', median(beyond), 'ms', 300, note),
      limitRow('peak memory of an export, its own', median(peaks), 'MB', 120, note),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function prepareComputers(
  executable: string,
  folder: string,
  credentials: number,
  tpms: TpmAddresses = {},
): Promise<Computers> {
  const [source, destination] = [join(folder, 'A'), join(folder, 'B')];
  for (const home of [source, destination]) mkdirSync(home, { mode: 0o700 });
  const b = new Conversation(executable, destination, tpms.destination);
  await b.ask('platform-initialize', {}, pick('ownerPassword'));
  const [identity] = await b.ask('identity-export', { path: folder });
  await b.close();
  if (identity === undefined) throw new Error('identity-export answered nothing');

  const a = new Conversation(executable, source, tpms.source);
  await a.ask('platform-initialize', {}, pick('ownerPassword'));
  await a.ask('user-initialize', {}, pick('password'));
  for (let number = 1; number <= credentials; number++) {
    const subject = `CN=Credential ${number}`;
    await a.ask(
      'credential-new',
      { subject, algorithm: 'P-256', friendlyName: `c${number}` },
      pick('password'),
    );
  }
  const { path, fingerprint, computer } = identity;
  // What proving the TPM costs is no part of a migration.
  await a.ask('access-grant', { path, fingerprint, allowUnattested: true }, pick('ownerPassword'));
  await a.close();
  return { folder, source, destination, destinationName: String(computer), tpms };
}

/** Exports in a process of its own, as the module does. Its start is not timed: start.ts does that. */
export async function exportArchive(
  executable: string,
  { source, destinationName, tpms }: Computers,
  path: string,
) {
  const a = new Conversation(executable, source, tpms.source);
  const peakMemory = a.watchMemory();
  const start = performance.now();
  const [archive] = await a.ask(
    'export',
    { path, destination: destinationName, overwrite: true },
    pick('password'),
  );
  const milliseconds = performance.now() - start;
  const peakMegabytes = peakMemory();
  await a.close();
  return { path: String(archive?.path), milliseconds, peakMegabytes };
}

/** Imports into a copy of the destination; answers the milliseconds without the process's start. */
export async function importArchive(
  executable: string,
  { destination, tpms }: Computers,
  path: string,
  home: string,
) {
  cpSync(destination, home, { recursive: true, preserveTimestamps: true });
  const b = new Conversation(executable, home, tpms.destination);
  await b.ask('status');
  const start = performance.now();
  await b.ask('import', { path }, pick('password'));
  const milliseconds = performance.now() - start;
  await b.close();
  return milliseconds;
}

const pick = (name: keyof typeof SECRETS) => ({ [name]: SECRETS[name] });
