/**
 * How long the executable takes to start: `--version`, and one `rpc` conversation that asks for the status of a computer
 * that has nothing yet, each against `node -e 0` of the Node that the executable is made of.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Row, interleaved, ratioRow, runProgram } from './harness.ts';

const ROUNDS = 40;

export async function startRows(executable: string): Promise<readonly Row[]> {
  const home = mkdtempSync(join(tmpdir(), 'spmigration-bench-'));
  const env = { ...process.env, SPMIGRATION_HOME: home };
  const input = `${JSON.stringify({ v: 1, id: 1, cmd: 'status', params: {} })}\n`;
  const rpc = () => runProgram(executable, ['rpc', '--protocol', '1'], { env, input });
  try {
    if (!rpc().includes('"t":"result"')) throw new Error('the status request has no result');
    const [node, version, status] = await interleaved(
      [
        { name: 'node', run: () => void runProgram(process.execPath, ['-e', '0']) },
        { name: 'version', run: () => void runProgram(executable, ['--version']) },
        { name: 'status', run: () => void rpc() },
      ],
      ROUNDS,
    );
    if (node === undefined || version === undefined || status === undefined)
      throw new RangeError('no timing');
    return [
      ratioRow('start: spmigration --version', version, node, 'node -e 0', 1.3),
      ratioRow('start: one rpc status request', status, node, 'node -e 0', 1.6),
    ];
  } finally {
    rmSync(home, { recursive: true });
  }
}
