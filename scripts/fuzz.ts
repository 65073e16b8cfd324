/**
 * `npm run fuzz`: fuzzes every decoder until it is stopped, or as the arguments say: `--seconds <n>`, `--seed <n>`,
 * `--target <name>`, `--case <n>` (that one only). What breaks the law is printed with the command that shows it again, and its
 * smallest input is saved under `.cache/fuzz` as a candidate for `test/vectors` (its code is for a person to fill in).
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzz, replayOf, type BrokenCase } from '../test/testkit/fuzz/campaign.ts';
import { encodeVector, type HeaderName } from '../test/testkit/vectors/vector-file.ts';
import { ROOT } from './build/platform.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string' },
    target: { type: 'string' },
    case: { type: 'string' },
  },
});
const folder = join(ROOT, '.cache/fuzz');
const number = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number(text);

const seconds = number(values.seconds) ?? Number.MAX_SAFE_INTEGER / 1000;
const first = number(values.case);
let seed = number(values.seed) ?? Date.now() % 2 ** 31;
const end = performance.now() + seconds * 1000;
let found = 0;
for (let left = seconds; left > 0 && found === 0; left = (end - performance.now()) / 1000, seed += 1) {
  const report = await fuzz({
    seed,
    seconds: Math.min(left, 60),
    ...(values.target === undefined ? {} : { target: values.target }),
    ...(first === undefined ? {} : { first, cases: 1 }),
  });
  process.stdout.write(`seed ${seed}: ${report.cases} cases, ${report.peakBytes >> 20} MiB at most\n`);
  if (report.targets.length === 0) throw new Error(`there is no target ${values.target ?? ''}`);
  for (const one of report.broken) await tell(one);
  found = report.broken.length;
  if (first !== undefined) break;
}
process.exitCode = found === 0 ? 0 : 1;

async function tell(broken: BrokenCase): Promise<void> {
  process.stdout.write(`${broken.target}: ${broken.problem}\nAgain: ${replayOf(seed, broken)}\n`);
  if (broken.bytes === undefined) return;
  const headers = new Map<HeaderName, string>([
    ['expect', 'refused'],
    ['code', 'TO BE FILLED IN'],
    ['read', broken.target],
    ['stage', 'decode'],
    ['comment', `found by fuzzing: seed ${seed}, case ${broken.number}`],
    ['body', 'base64'],
  ]);
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${broken.target}-${seed}-${broken.number}.vector`);
  await writeFile(path, encodeVector({ name: broken.target, headers, body: broken.bytes }));
  process.stdout.write(`Saved: ${path}\n`);
}
