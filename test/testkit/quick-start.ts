/** README's quick starts, taken from the file, and what a person sees who types the one in PowerShell. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

export const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');

/** The fenced block behind `<!-- name -->`. */
export function readmeBlock(name: string, language: string): string {
  const [, after = ''] = readme.split(`<!-- ${name} -->`);
  const [, text] = new RegExp(`^\\s*\`\`\`${language}\\n([^]*?)\`\`\``).exec(after) ?? [];
  if (text === undefined) throw new Error(`README has no block ${name} in ${language}.`);
  return text;
}

/** The folder that the rehearsal in PowerShell makes below the home folder, and removes at its end. */
export const rehearsalFolder = 'spmigration-rehearsal';

/** What a person answers to the rehearsal in PowerShell. */
export const rehearsalAnswers = [
  'the owner of PC-A',
  'the owner of PC-B',
  'the password of Anna',
  'y',
] as const;

/** That the rehearsal in PowerShell did what its text says. Objects are tables where lines are typed, and lists in a script. */
export function expectRehearsed(stdout: string): void {
  // What the owner of PC-A is asked to compare is what the administrator of PC-B was shown before.
  const [asked = '', fingerprint = 'none'] =
    /Its fingerprint is ([0-9a-f ]{49}): compare it/.exec(stdout) ?? [];
  expect(stdout.slice(0, stdout.indexOf(asked))).toContain(fingerprint);
  expect(stdout).toMatch(/^(Fits +: True|True +Install .*)\r?$/m);
  expect(stdout).toContain('What if: Import the environment');
  expect(stdout).toMatch(/^(Case +: Install|Install +False .*SecureEmail .*)\r?$/m);
  const atTheEnd = stdout.slice(Math.max(stdout.lastIndexOf('Credential '), stdout.lastIndexOf('Label ')));
  expect(atTheEnd).toMatch(/^(State +: Active|Anna +Active +SecureEmail .*)\r?$/m);
  expect(atTheEnd).toMatch(/^(Features +: \{SecureEmail\}|Anna +Active +SecureEmail .*)\r?$/m);
}
