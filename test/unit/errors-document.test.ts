/**
 * docs/errors.md says what the catalogue says, both ways, and the catalogue's words keep their form: a message is one
 * sentence, a hint is the next step and names only cmdlets, parameters, options and policies that exist.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { askable } from '../../core/src/cli/perform.ts';
import { errorCatalogue, errorClasses, type ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import { cmdlets } from '../../psmodule/schema/cmdlets.ts';
import { endingErrors, moduleErrors } from '../../psmodule/schema/errors.ts';
import { errorsDocument, retiredCodes } from '../../scripts/errors/document.ts';

const file = await readFile(join(import.meta.dirname, '../../docs/errors.md'), 'utf8');
const codes = Object.keys(errorCatalogue) as ErrorCode[];
const entries = codes.map((code) => [code, errorCatalogue[code]] as const);

/** `DestinationNotAuthorized` → heading `### DestinationNotAuthorized`. */
const headings = [...file.matchAll(/^### (\w+)$/gm)].map(([, code]) => code);

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const cmdletNames = new Set(cmdlets.map(({ name }) => name));
/** Parameters of some cmdlet, and those of every changer. */
const parameterNames = new Set([
  ...cmdlets.flatMap((cmdlet) => cmdlet.parameters.map(({ name }) => name)),
  'Confirm',
]);
const options = new Set([
  '--yes',
  '--help',
  '--json',
  '--what-if',
  '--overwrite',
  ...askable.map((name) => `--${kebab(name)}-stdin`),
]);

describe('docs/errors.md', () => {
  it('is what `npm run errors` writes', () => {
    expect(file).toBe(errorsDocument());
  });

  it('has exactly one section for each code of the catalogue, and no other', () => {
    expect(headings.toSorted()).toEqual(codes.toSorted());
  });

  it('lists every exit code with its class', () => {
    for (const [name, { exitCode, category }] of Object.entries(errorClasses)) {
      expect(file).toContain(`| ${String(exitCode)} | ${name} | \`${category}\` |`);
    }
  });

  it('gives no retired code a new meaning', () => {
    for (const { code } of retiredCodes) expect(codes).not.toContain(code);
  });
});

describe('the catalogue of errors', () => {
  it('is in alphabetical order within its classes', () => {
    for (const name of Object.keys(errorClasses)) {
      const own = entries.filter(([, entry]) => entry.class === name).map(([code]) => code);
      expect(own).toEqual(own.toSorted());
    }
  });

  it.each(entries)('%s: its message is one sentence', (_, { message }) => {
    expect(message).not.toMatch(/[.!?]\s/);
    expect(message).not.toContain('\n');
    // It ends with its full stop or with a fact that is filled in.
    expect(message).toMatch(/(\.|\})$/);
    expect(message).toMatch(/^[A-Z{]/);
  });

  it.each(entries)('%s: its hint is a sentence that says more than the message', (_, { message, hint }) => {
    expect(hint).toMatch(/^[A-Z]/);
    expect(hint).toMatch(/(\.|\})$/);
    expect(hint).not.toBe(message);
  });

  it.each(entries)('%s: its hint names only what exists', (_, { hint }) => {
    for (const [name] of hint.matchAll(/\b[A-Z][a-z]+-SP\w+/g)) expect(cmdletNames).toContain(name);
    for (const [option] of hint.matchAll(/(?<=^|[\s(])--[a-z][a-z-]*/g)) expect(options).toContain(option);
    for (const [, name] of hint.matchAll(/(?:^|[\s(])-([A-Z]\w+)/g)) expect(parameterNames).toContain(name);
  });

  it.each([
    ['moduleErrors', moduleErrors],
    ['endingErrors', endingErrors],
  ] as const)('%s of the module are codes of it, each once', (_, list) => {
    expect(codes).toEqual(expect.arrayContaining([...list]));
    expect(new Set(list).size).toBe(list.length);
  });
});
