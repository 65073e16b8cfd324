/**
 * What can be checked about the documents without understanding them: links lead somewhere, ARCHITECTURE's table of rooms
 * is that of .dependency-cruiser.mjs, the process protocol's operations are the registry's, every specification and
 * decision record is in its index, and no cmdlet is named that does not exist.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { operations, type OperationEntry } from '../../core/src/operations/registry.ts';
import { cmdlets } from '../../psmodule/schema/cmdlets.ts';
import { titlesIn } from '../testkit/documents.ts';

const root = join(import.meta.dirname, '../..');
// Plain JavaScript without types of its own.
const { default: rules } = (await import(pathToFileURL(join(root, '.dependency-cruiser.mjs')).href)) as {
  readonly default: { readonly forbidden: readonly { readonly name: string; readonly comment: string }[] };
};
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const markdownIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const documents = ['.', 'docs', 'docs/spec', 'docs/decisions', 'docs/guides'].flatMap(markdownIn);

/** The text without fenced blocks, in which nothing is a link. */
const prose = (path: string): string => read(path).replaceAll(/^```[^]*?^```$/gm, '');

/** Cmdlets, and the module's functions behind them. */
const functions = new Set([
  ...cmdlets.map(({ name }) => name),
  ...readdirSync(join(root, 'psmodule/src/private')).flatMap((file) =>
    [...read(`psmodule/src/private/${file}`).matchAll(/^function ([\w-]+)/gm)].map(([, name = '']) => name),
  ),
]);

describe.each(documents)('%s', (path) => {
  it('links to what exists', () => {
    const targets = [...prose(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const broken = targets.filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      const [file = '', anchor] = target.split('#');
      const to = file === '' ? path : join(dirname(path), file);
      if (!existsSync(join(root, to))) return true;
      return anchor !== undefined && !anchorsOf(to).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names tests that exist', () => {
    const named = [...read(path).matchAll(/`([\w/-]+\.ts)`: "([^"]+)"/g)];
    const missing = named.filter(([, file = '', title = '']) => {
      const test = join(root, 'test', file);
      return !existsSync(test) || !titlesIn(test).includes(title);
    });
    expect(missing.map(([text]) => text)).toEqual([]);
  });

  it('names cmdlets that exist', () => {
    const named = [...read(path).matchAll(/\b[A-Z][a-z]+-SP[A-Z]\w+/g)].map(([name]) => name);
    expect(named.filter((name) => !functions.has(name))).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  it('has the table of rooms that dependency-cruiser enforces', () => {
    const table = new Map(
      [...read('ARCHITECTURE.md').matchAll(/^\| ([\w/-]+) +\| (.*?) +\| (.*?) +\| (.*?) +\|$/gm)]
        .filter(([, room]) => room !== 'room' && !/^-+$/.test(room ?? ''))
        .map(([, room = '', ...cells]) => [room, cells] as const),
    );
    const enforced = new Map<string, [string, string, string]>();
    for (const { name, comment } of rules.forbidden) {
      const [, room, what] = /^(\S+) may import (.*)$/.exec(comment) ?? [];
      const column = ['rooms', 'node', 'packages'].findIndex((kind) => name.endsWith(`-${kind}`));
      if (room === undefined || what === undefined || column < 0) continue;
      const cells = enforced.get(room) ?? ['', '', ''];
      cells[column] = cell(what);
      enforced.set(room, cells);
    }
    expect(enforced.size).toBeGreaterThan(10);
    expect(Object.fromEntries(table)).toEqual(Object.fromEntries(enforced));
  });

  it('has three pages at most', () => {
    expect(read('ARCHITECTURE.md').split('\n').length).toBeLessThanOrEqual(180);
  });
});

describe('docs/spec/process-protocol.md', () => {
  const rows = [...read('docs/spec/process-protocol.md').matchAll(/^\| `([a-z-]+)` +\| ([RC]) +\|(.*)\|$/gm)];
  const documented = new Map(rows.map(([, name = '', kind, rest = '']) => [name, { kind, rest }] as const));

  it('lists every operation', () => {
    expect([...documented.keys()].toSorted()).toEqual(Object.keys(operations).toSorted());
  });

  it.each(Object.entries<OperationEntry>(operations))('%s: parameters, secrets and result', (name, entry) => {
    const [params = '', secrets = '', result = ''] = (documented.get(name)?.rest ?? '')
      .replaceAll(/\([^)]*\)/g, '')
      .split('|');
    const names = [...params.matchAll(/`(\w+)(?:\[\])?`/g)].map(([, parameter]) => parameter);
    expect(names.toSorted()).toEqual(Object.keys(entry.parameters).toSorted());
    expect([...secrets.matchAll(/_(\w+)_/g)].map(([, secret]) => secret)).toEqual(entry.secrets);
    expect(result).toContain(`\`${entry.result}\``);
    expect(documented.get(name)?.kind).toBe(entry.kind === 'changer' ? 'C' : 'R');
  });
});

describe('the indexes', () => {
  it('of the specifications has each', () => {
    const names = markdownIn('docs/spec').map((path) => path.slice('docs/spec/'.length));
    const index = read('docs/spec/README.md');
    expect(names.filter((name) => name !== 'README.md' && !index.includes(`](${name})`))).toEqual([]);
  });

  it('of the decisions has each, and no number comes twice', () => {
    const names = markdownIn('docs/decisions').map((path) => path.slice('docs/decisions/'.length));
    const records = names.filter((name) => name !== 'README.md');
    const index = read('docs/decisions/README.md');
    expect(records.filter((name) => !/^\d{4}-[a-z0-9-]+\.md$/.test(name))).toEqual([]);
    expect(records.filter((name) => !index.includes(`](${name})`))).toEqual([]);
    expect(new Set(records.map((name) => name.slice(0, 4))).size).toBe(records.length);
  });
});

/** What the rules say in a comment, as a cell of the table. */
function cell(what: string): string {
  if (/^(no other room|none of Node.s modules|no package)$/.test(what)) return '–';
  if (what === 'node:.*') return 'any';
  if (what === 'node:(?!fs).*') return 'all but fs';
  return what.replace(/^node:/, '').replaceAll('|', ', ');
}

/** As GitHub makes them: lower case, punctuation away, spaces to hyphens. */
function anchorsOf(path: string): readonly string[] {
  return [...prose(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );
}
