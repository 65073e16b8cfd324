/**
 * Holds docs/threat-model.md to the tests: each row of a data flow names at least one test, each named test exists under that
 * very title, and numbers are unique and in order.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cellsOf, titlesIn } from '../testkit/documents.ts';

const tests = join(import.meta.dirname, '..');
const text = readFileSync(join(tests, '../docs/threat-model.md'), 'utf8');
const sections = text.split(/^#{2,3} /m).map((section) => {
  const [heading = ''] = section.split('\n');
  return { heading, rows: cellsOf(section) };
});
const flows = sections.filter(({ heading }) => /^F\d+ /.test(heading));

describe.each(flows)('$heading', ({ heading, rows }) => {
  const prefix = heading.split(' ')[0] ?? '';

  it('numbers its threats in order', () => {
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.map(([number]) => number)).toEqual(rows.map((_, index) => `${prefix}.${index + 1}`));
  });

  it.each(rows.map(([number = '', , , shown = '']) => [number, shown] as const))(
    '%s is shown by tests that exist',
    (_, shown) => {
      const named = [...shown.matchAll(/`([^`]+)`: "([^"]+)"/g)].map(([, file = '', title = '']) => ({
        file,
        title,
      }));
      expect(named.length).toBeGreaterThan(0);
      const missing = named.filter(({ file, title }) => {
        const path = join(tests, file);
        return !existsSync(path) || !titlesIn(path).includes(title);
      });
      expect(missing).toEqual([]);
    },
  );
});

it('covers every flow of its picture, and links to what is not mitigated by number', () => {
  expect(flows.map(({ heading }) => heading.split(' ')[0])).toEqual(
    Array.from({ length: flows.length }, (_, index) => `F${index + 1}`),
  );
  for (const name of flows.map(({ heading }) => heading.split(' ')[0] ?? '')) expect(text).toContain(name);
  const remaining =
    sections.find(({ heading }) => heading === 'Not mitigated')?.rows.map(([number]) => number) ?? [];
  const linked = [...text.matchAll(/\[(N\d+)\]\(#not-mitigated\)/g)].map(([, number]) => number);
  expect(remaining).toEqual(remaining.map((_, index) => `N${index + 1}`));
  expect(linked.filter((number) => !remaining.includes(number))).toEqual([]);
});
