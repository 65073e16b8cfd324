/**
 * What a TPM costs: the hand-over against the same by tpm2-tools (`tpm-hand-over.ts`), the commands of a whole export and a
 * whole import, however much is in the environment, and the times of both against the software chip, with the executable.
 * On swtpm; a chip on a board is much slower, and there the number of commands decides. Needs swtpm and tpm2-tools.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Computer } from '../../test/testkit/computer.ts';
import { recording, Swtpm, type Exchange } from '../../test/testkit/swtpm.ts';
import { hasTpmTools } from '../../test/testkit/tpm-tools.ts';
import { comparisonRow, countRow, median, type Row } from './harness.ts';
import { exportArchive, importArchive, prepareComputers, SECRETS, type Computers } from './migration.ts';
import { handOverRows, type StorageKeyType } from './tpm-hand-over.ts';

const ROUNDS = 7;
/** One is the least, and fifty is what the other figures are about. */
const CREDENTIALS = [1, 50] as const;
const MOST_OF_AN_EXPORT = 24;
const MOST_OF_AN_IMPORT = 14;

export async function tpmRows(executable: string): Promise<readonly Row[]> {
  if (!hasTpmTools()) return [];
  const rows: Row[] = [];
  for (const type of ['ECC', 'RSA'] as const) {
    rows.push(...(await handOverRows(type)), ...(await migrationRows(executable, type)));
  }
  return rows;
}

/** A whole export and import between two TPMs with storage keys of this type. */
async function migrationRows(executable: string, type: StorageKeyType): Promise<readonly Row[]> {
  const tpms = [await Swtpm.start(), await Swtpm.start()] as const;
  const folder = mkdtempSync(join(tmpdir(), 'spmigration-bench-'));
  try {
    for (const tpm of tpms) await tpm.makeStorageKey(type);
    const prepared = async (credentials: number): Promise<Computers> => {
      const place = join(folder, String(credentials));
      mkdirSync(place);
      const [{ address: source }, { address: destination }] = tpms;
      return await prepareComputers(executable, place, credentials, { source, destination });
    };
    const exports: number[] = [];
    const imports: number[] = [];
    let repeated = 0;
    let computers: Computers | undefined;
    for (const credentials of CREDENTIALS) {
      computers = await prepared(credentials);
      const counted = await countCommands(computers, tpms);
      exports.push(counted.atExport.length);
      imports.push(counted.atImport.length);
      repeated += [...counted.atExport, ...counted.atImport].filter(asksAgain).length;
    }
    const what = (verb: string): string => `commands of a whole ${verb} between TPMs, ${type} storage keys`;
    const again = repeated === 0 ? '' : `, ${repeated} of all sent again because the TPM asked for it`;
    const note = `with ${CREDENTIALS.join(' and ')} credentials${again}`;
    return [
      countRow(
        what('export'),
        exports,
        'commands',
        CREDENTIALS.map(() => MOST_OF_AN_EXPORT),
        note,
      ),
      countRow(
        what('import'),
        imports,
        'commands',
        CREDENTIALS.map(() => MOST_OF_AN_IMPORT),
        note,
      ),
      ...(computers === undefined ? [] : await timeRows(executable, folder, computers, type)),
    ];
  } finally {
    for (const tpm of tpms) await tpm.stop();
    rmSync(folder, { recursive: true });
  }
}

/** TPM_RC_RETRY in place of an answer: swtpm's, for one, at the first use of a key after its start. */
function asksAgain({ response }: Exchange): boolean {
  return new DataView(response.buffer, response.byteOffset).getUint32(6) === 0x922;
}

/** The commands that reach each TPM, read off between our client and it. */
async function countCommands(
  { folder, source, destination, destinationName }: Computers,
  [sourceTpm, destinationTpm]: readonly [Swtpm, Swtpm],
): Promise<{ readonly atExport: readonly Exchange[]; readonly atImport: readonly Exchange[] }> {
  const { password } = SECRETS;
  const [atSource, atDestination]: [Exchange[], Exchange[]] = [[], []];
  const a = await computerAt(source, sourceTpm, atSource);
  const path = join(folder, 'counted.sparc');
  await a.run('export', { path, destination: destinationName }, { password });
  const home = join(folder, 'B-counted');
  cpSync(destination, home, { recursive: true, preserveTimestamps: true });
  const b = await computerAt(home, destinationTpm, atDestination);
  await b.run('import', { path }, { password });
  return { atExport: atSource, atImport: atDestination };
}

async function computerAt(home: string, tpm: Swtpm, exchanges: Exchange[]): Promise<Computer> {
  const open = recording(tpm.open, exchanges);
  const computer = await Computer.at(home, {}, undefined, tpm.address);
  computer.ports = {
    ...computer.ports,
    chip: (_, recorded) => Promise.resolve(tpm.chip({ open, ...(recorded !== undefined && { recorded }) })),
  };
  return computer;
}

/** Whole export and import with the executable: two TPMs against two software chips, in turn. */
async function timeRows(
  executable: string,
  folder: string,
  onTpms: Computers,
  type: StorageKeyType,
): Promise<readonly Row[]> {
  const place = join(folder, 'software');
  mkdirSync(place);
  const onSoftware = await prepareComputers(executable, place, CREDENTIALS[1]);
  const times = [onTpms, onSoftware].map((computers) => ({
    computers,
    exports: [] as number[],
    imports: [] as number[],
  }));
  for (let round = -1; round < ROUNDS; round++) {
    for (const { computers, exports, imports } of times) {
      const exported = await exportArchive(executable, computers, computers.folder);
      const home = join(computers.folder, `B${String(round)}`);
      const imported = await importArchive(executable, computers, exported.path, home);
      if (round < 0) continue;
      exports.push(exported.milliseconds);
      imports.push(imported);
    }
  }
  const [tpm, software] = times;
  if (tpm === undefined || software === undefined) throw new RangeError('no timing');
  const row = (verb: 'exports' | 'imports'): Row =>
    comparisonRow(
      `whole ${verb.slice(0, -1)} between TPMs, ${type} storage keys`,
      median(tpm[verb]),
      median(software[verb]),
      'the same between software chips',
    );
  return [row('exports'), row('imports')];
}
