/**
 * Holds test/README.md to the tests: every test that its table names exists under that very title, every title that
 * begins with a row is in the table, and each of the checklist's 110 rows is either shown or said not to be.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cellsOf, titlesIn } from '../testkit/documents.ts';

const tests = join(import.meta.dirname, '..');
const [, shown = '', later = ''] = readFileSync(join(tests, 'README.md'), 'utf8').split(/^##+ .*$/m);

/** `51–53, 60` is 51, 52, 53 and 60. */
function numbersIn(cell: string): readonly number[] {
  return cell.split(',').flatMap((part) => {
    const [first = NaN, last = first] = part.split('–').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

const table = cellsOf(shown).map(([row = '', , file = '', title = '']) => ({
  row: Number(row),
  file,
  title,
}));

it('every test that the table of rows names exists', () => {
  expect(table.length).toBeGreaterThan(60);
  const missing = table.filter(({ file, title }) => {
    const path = join(tests, file);
    return !existsSync(path) || !titlesIn(path).includes(title);
  });
  expect(missing).toEqual([]);
});

it('every row that a title of flow/rows.test.ts names is in the table with it', () => {
  const file = 'flow/rows.test.ts';
  const named = titlesIn(join(tests, file)).flatMap((title) =>
    [...title.matchAll(/row-(\d{3})/g)].map(([, row]) => ({ row: Number(row), file, title })),
  );
  expect(named.length).toBeGreaterThan(10);
  for (const entry of named) expect(table).toContainEqual(entry);
});

it('each of the 110 rows is shown, or said not to be', () => {
  const known = new Set([
    ...table.map(({ row }) => row),
    ...cellsOf(later).flatMap(([rows = '']) => numbersIn(rows)),
  ]);
  const all = Array.from({ length: 110 }, (_, index) => index + 1);
  expect([...known].sort((a, b) => a - b)).toEqual(all);
});
