/** The rows of docs/windows-checklist.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const checklist = readFileSync(join(import.meta.dirname, '../../docs/windows-checklist.md'), 'utf8');

/** Numbers of the part that `scripts/windows-check.ps1` answers, or of the one that is done by hand. */
export function rowsOfChecklist(part: 'first' | 'second'): string[] {
  const [first = '', second = ''] = checklist.split(/^# Second part/m);
  const [, answered = ''] = first.split(/^# First part/m);
  return numbersIn(part === 'first' ? answered : second);
}

function numbersIn(text: string): string[] {
  return [...text.matchAll(/^\| ([A-Z]\d+) +\|/gm)].map(([, number = '']) => number);
}
