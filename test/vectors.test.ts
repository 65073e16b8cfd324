/**
 * Runs every vector in `test/vectors/`: a good file must be accepted and mean what its vector says, a bad one refused with
 * exactly its code. Another implementation needs only the `*.vector` files (docs/spec/vectors.md).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorCatalogue } from '../core/src/domain/error-catalogue.ts';
import { isSPMigrationError } from '../core/src/domain/error.ts';
import { vectors } from './testkit/vectors/all.ts';
import { readVector, type ReadVector } from './testkit/vectors/read-vector.ts';
import { decodeVector, encodeVector, type Vector } from './testkit/vectors/vector-file.ts';

const folder = join(import.meta.dirname, 'vectors');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.vector'))
  .map((name) => name.slice(0, -'.vector'.length));
const load = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, `${name}.vector`)));

/** The code of the refusal, or what was read. */
async function outcome(vector: Vector): Promise<string | ReadVector> {
  try {
    return await readVector(vector);
  } catch (error) {
    if (isSPMigrationError(error)) return error.code;
    throw error;
  }
}

describe('vectors', () => {
  test.each(names)('%s', async (name) => {
    const vector = decodeVector(name, load(name));
    const { headers, body } = vector;
    const read = await outcome(vector);
    if (headers.get('expect') === 'refused') {
      expect(read).toBe(headers.get('code'));
      return;
    }
    expect(headers.get('expect')).toBe('success');
    if (typeof read === 'string') throw new Error(`refused with ${read}`);
    // What a decoder accepts is exactly what its encoder writes.
    if (read.again !== undefined) expect(Buffer.compare(read.again, body)).toBe(0);
    expect(read.answer).toBe(headers.get('answer'));
    expect(read.environmentSha256).toBe(headers.get('environment-sha256'));
  });
});

test('the files are what their definitions make', () => {
  expect(names.sort()).toEqual(vectors.map(({ name }) => name));
  for (const vector of vectors)
    expect(Buffer.compare(load(vector.name), encodeVector(vector)), vector.name).toBe(0);
});

test('every vector names a code of the catalogue and a section of the specification that exists', () => {
  for (const { name, headers } of vectors) {
    const code = headers.get('code');
    if (code !== undefined) expect(Object.hasOwn(errorCatalogue, code), name).toBe(true);
    const [document = '', section = ''] = (headers.get('spec') ?? '').split('#');
    expect(sections(document), name).toContain(section);
  }
});

const known = new Map<string, readonly string[]>();

/** Anchors of a document's headings, as they are made from their text. */
function sections(document: string): readonly string[] {
  const before = known.get(document);
  if (before !== undefined) return before;
  const text = readFileSync(join(import.meta.dirname, '../docs/spec', document), 'utf8');
  const anchors = Array.from(text.matchAll(/^#+ (.+)$/gm), ([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
  known.set(document, anchors);
  return anchors;
}
