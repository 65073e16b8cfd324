/**
 * The table of events that the module writes to the event log of Windows: complete, without a number twice, and the same in the
 * specification and in the help.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorClasses } from '../../core/src/domain/error-catalogue.ts';
import { operations, type OperationEntry } from '../../core/src/operations/registry.ts';
import { cmdlets } from '../../psmodule/schema/cmdlets.ts';
import {
  doneEvents,
  eventNumbers,
  eventProperties,
  faultCategories,
  notDoneEvents,
} from '../../psmodule/schema/events.ts';
import { propertyName, resultTypes } from '../../psmodule/schema/results.ts';

const root = join(import.meta.dirname, '../..');

describe('the table of events', () => {
  const changers = Object.entries<OperationEntry>(operations)
    .filter(([name, { kind }]) => kind === 'changer' && !/^credential-(un)?installed$/.test(name))
    .map(([name]) => name);

  it('has each operation that changes something, and what is installed', () => {
    expect(Object.keys(eventNumbers).toSorted()).toEqual([...changers, 'credential-install'].toSorted());
  });

  it('gives no number twice', () => {
    const numbers = Object.values(eventNumbers);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const number of numbers) expect([number > 0, number < 1000]).toEqual([true, true]);
  });

  it('names properties that results have, and none that could hold a secret', () => {
    const known = new Set(
      Object.values(resultTypes).flatMap(({ fields }) => Object.keys(fields).map(propertyName)),
    );
    expect(eventProperties.filter((name) => !known.has(name))).toEqual([]);
    expect(eventProperties.filter((name) => /password|code|secret|pfx/i.test(name))).toEqual([]);
  });

  it('names categories that errors have', () => {
    const categories = new Set<string>(Object.values(errorClasses).map(({ category }) => category));
    expect(faultCategories.filter((category) => !categories.has(category))).toEqual([]);
  });

  const rows = Object.entries(eventNumbers).map(([operation, number]) => {
    const names = cmdlets.filter((cmdlet) => cmdlet.operations.includes(operation)).map(({ name }) => name);
    return [operation, String(doneEvents + number), String(notDoneEvents + number), names] as const;
  });

  it('is that of docs/spec/event-log.md', () => {
    const text = readFileSync(join(root, 'docs/spec/event-log.md'), 'utf8');
    const documented = [...text.matchAll(/^\| (\d+) +\| (\d+) +\| `([a-z-]+)` +\| `([\w-]+)` +\|$/gm)].map(
      ([, done, notDone, operation, cmdlet]) => [operation, done, notDone, [cmdlet]],
    );
    expect(documented).toEqual(rows);
  });

  it('is that of about_SPMigration_Fleet', () => {
    const text = readFileSync(join(root, 'psmodule/help/about_SPMigration_Fleet.help.txt'), 'utf8');
    const documented = [...text.matchAll(/^ +(1\d{3}) +(2\d{3}) +([A-Z][\w-]+)/gm)].map(
      ([, ...cells]) => cells,
    );
    expect(documented).toEqual(rows.map(([, done, notDone, [cmdlet]]) => [done, notDone, cmdlet]));
  });
});
