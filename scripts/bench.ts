/**
 * `npm run bench`: the figures that the product promises, each against its aim, as a table. A missed aim is shown, not an
 * error: the computer may be busy. Leaves out: profiles and history.
 */
import { freshExecutable } from './build/freshness.ts';
import { startRows } from './bench/start.ts';
import { table } from './bench/harness.ts';

const executable = await freshExecutable();
const rows = [...(await startRows(executable))];
process.stdout.write(`${table(rows)}\n`);
