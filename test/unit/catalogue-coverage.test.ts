/**
 * Every code of the catalogue can be raised, and is provoked by a test or a vector that expects exactly it. Found in the
 * text of the sources: a code that only a comment or a list names does not count.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCatalogue } from '../../core/src/domain/error-catalogue.ts';

const root = join(import.meta.dirname, '..', '..');
const codes = Object.keys(errorCatalogue).sort();
/** Characters after an assertion's beginning in which it names its code. */
const reach = 90;

interface Source {
  readonly path: string;
  readonly text: string;
}

async function sources(folder: string, pattern: RegExp): Promise<readonly Source[]> {
  const names = (await readdir(join(root, folder), { recursive: true })).filter((name) => pattern.test(name));
  return Promise.all(
    names.map(async (name) => ({
      path: `${folder}/${name}`,
      text: withoutComments(await readFile(join(root, folder, name), 'utf8')),
    })),
  );
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*(?:\/\/|#).*$/gm, '');
}

/** Where a test says what it expects: matchers, the testkit's own, and rows that say `code:` or, of the module, `id:`. */
const assertion =
  /\b(?:refused|expectRefused|hasCode|toBe|toEqual|toThrow|toMatchObject|toContain|toContainEqual)\(|\b(?:code|id): /g;

function expectedIn({ path, text }: Source): ReadonlySet<string> {
  if (path.endsWith('.vector')) return new Set(/^code: (\w+)$/m.exec(text)?.slice(1));
  const found = new Set<string>();
  for (const { index } of text.matchAll(assertion)) {
    for (const [, name = ''] of text.slice(index, index + reach).matchAll(/['"`](\w+)\b/g)) found.add(name);
  }
  return found;
}

describe('the catalogue of errors', () => {
  it('holds no code that nothing provokes', async () => {
    const tests = [
      ...(await sources('test', /\.test\.ts$/)),
      ...(await sources('test/vectors', /\.vector$/)),
    ].filter(({ path }) => !path.endsWith('catalogue-coverage.test.ts'));
    expect(tests.length).toBeGreaterThan(100);
    const expected = new Set(tests.flatMap((source) => [...expectedIn(source)]));
    expect(codes.filter((code) => !expected.has(code))).toEqual([]);
  });

  it('holds no code that nothing can raise', async () => {
    const program = [
      ...(await sources('core/src', /\.ts$/)),
      ...(await sources('psmodule/src', /\.ps1$/)),
    ].filter(({ path }) => !path.endsWith('error-catalogue.ts'));
    const raised = program.map(({ text }) => text).join('\n');
    expect(codes.filter((code) => !raised.includes(`'${code}'`))).toEqual([]);
  });

  it('says for every code a fact and a next step, as sentences', () => {
    for (const [code, { message, hint }] of Object.entries(errorCatalogue)) {
      expect(code).toMatch(/^[A-Z][A-Za-z]+$/);
      expect([code, message]).toEqual([code, expect.stringMatching(/^(?:[A-Z]|\{).*(?:\.|\})$/)]);
      expect([code, hint]).toEqual([code, expect.stringMatching(/^[A-Z].*[.}]$/)]);
    }
  });
});
