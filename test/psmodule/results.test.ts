/**
 * The objects of the module have the fields that the process protocol specifies, and convert the dates and lists among them:
 * `psmodule/schema/results.ts` against the table of result types in `docs/spec/process-protocol.md`. What a field's plain
 * value is (text, number, truth value) is not written there and not compared.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { resultTypes, type FieldKind, type ResultTypeName } from '../../psmodule/schema/results.ts';

const protocol = readFileSync(join(import.meta.dirname, '../../docs/spec/process-protocol.md'), 'utf8');
const [, after = ''] = protocol.split(/^## Result types$/m);
const [section = ''] = after.split(/^## /m);
const rows = [...section.matchAll(/^\| `(\w+)` +\| (.*?) +\|$/gm)];
const specified = new Map(rows.map(([, type = '', fields = '']) => [type, fields] as const));

/** `plain`, `date`, `texts`, `numbers`, or the type in a list. */
function kindOf(kind: FieldKind): string {
  if (typeof kind !== 'string') return kind.of;
  return ['date', 'texts', 'numbers'].includes(kind) ? kind : 'plain';
}

/** The fields of a cell: names with their marks, without what stands in parentheses about their values. */
function fieldsOf(cell: string): Readonly<Record<string, string>> {
  const marked = cell
    .replaceAll(/ \(list of `(\w+)`\)/g, '=$1')
    .replaceAll(/ \(numbers\)/g, '=numbers')
    .replaceAll(/ \([^()]*\)/g, '');
  return Object.fromEntries(
    [...marked.matchAll(/`(\w+)(\[\])?(@)?\??`(?:=(\w+))?/g)].map(([, name = '', list, date, of]) => [
      name,
      of ?? (list === undefined ? (date === undefined ? 'plain' : 'date') : 'texts'),
    ]),
  );
}

it('the protocol and the module know the same result types', () => {
  expect([...specified.keys()].sort()).toEqual(Object.keys(resultTypes).sort());
});

it.each(Object.keys(resultTypes) as ResultTypeName[])('%s has the fields of the protocol', (name) => {
  const own = Object.entries(resultTypes[name].fields).map(([field, kind]) => [field, kindOf(kind)]);
  expect(Object.fromEntries(own)).toEqual(fieldsOf(specified.get(name) ?? ''));
});
