/**
 * `npm run vectors`: writes every test vector (`test/vectors/*.vector`) again from its definition under
 * `test/testkit/vectors`, and removes those that are defined no more. Everything is made from seeds, so that nothing
 * changes unless a definition or a format did.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vectors } from '../test/testkit/vectors/all.ts';
import { encodeVector } from '../test/testkit/vectors/vector-file.ts';

const folder = join(import.meta.dirname, '../test/vectors');
await mkdir(folder, { recursive: true });
const wanted = new Map(vectors.map((vector) => [`${vector.name}.vector`, encodeVector(vector)]));
const present = (await readdir(folder)).filter((name) => name.endsWith('.vector'));
for (const name of present) if (!wanted.has(name)) await rm(join(folder, name));
for (const [name, bytes] of wanted) await writeFile(join(folder, name), bytes);
process.stdout.write(`${String(wanted.size)} vectors\n`);
