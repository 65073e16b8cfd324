/**
 * `npm run bench`: the figures that the product promises, each against its aim, as a table. A missed aim is shown, not an
 * error: the computer may be busy. Leaves out: profiles and history.
 */
import { environmentRows } from './bench/environment.ts';
import { migrationRows } from './bench/migration.ts';
import { moduleRows } from './bench/module.ts';
import { startRows } from './bench/start.ts';
import { tpmRows } from './bench/tpm.ts';
import { table } from './bench/harness.ts';
import { freshExecutable, freshModule } from './build/freshness.ts';

const executable = await freshExecutable();
const rows = [
  ...(await startRows(executable)),
  ...(await moduleRows(await freshModule(), executable)),
  ...(await migrationRows(executable)),
  ...(await environmentRows(executable)),
  ...(await tpmRows(executable)),
];
process.stdout.write(`${table(rows)}\n`);
