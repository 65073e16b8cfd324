/** Results, plans and errors as a person at a terminal reads them, and as `--json` prints them. */
import type { SPMigrationError } from '../domain/error.ts';
import type { Plan } from '../operations/operation.ts';
import { inCommandWords } from './command-words.ts';
import { withDates } from './result-values.ts';

/** Fields that hold sentences for people, which may name cmdlets; all others are shown as they are. */
const sentences: ReadonlySet<string> = new Set(['nextStep', 'reasons', 'message', 'hint']);

/** One result as lines `Name  value`; what is empty is left out. */
export function renderResult(value: object): readonly string[] {
  const fields = Object.entries(withDates(value)).filter(([, field]) => !isEmpty(field));
  const width = Math.max(...fields.map(([name]) => title(name).length));
  return fields.flatMap(([name, field]) => {
    if (isObjectList(field)) return [`${title(name)}:`, ...field.map((one) => `  ${inline(one)}`)];
    return [`${title(name).padEnd(width)}  ${shown(name, field)}`];
  });
}

/** The plan's sentences under a heading. */
export function renderPlan(plan: Plan): readonly string[] {
  return [`${plan.action}: ${plan.target}`, ...plan.lines.map((line) => `  ${inCommandWords(line)}`)];
}

/** One error line and one hint line. */
export function renderError(error: SPMigrationError): readonly string[] {
  return [`error: ${error.message} (${error.code})`, `hint: ${inCommandWords(error.hint)}`];
}

/** The same as data. */
export function errorAsJson(error: SPMigrationError): string {
  const { code, message, hint, details } = error;
  return JSON.stringify({ error: { code, message, hint: inCommandWords(hint), details } });
}

function isEmpty(field: unknown): boolean {
  return field === null || field === '' || (Array.isArray(field) && field.length === 0);
}

function isObjectList(field: unknown): field is readonly object[] {
  return (
    Array.isArray(field) && field.length > 0 && field.every((one) => typeof one === 'object' && one !== null)
  );
}

/** `validUntil` → `Valid until`. */
function title(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function shown(name: string, field: unknown): string {
  return sentences.has(name) ? inCommandWords(text(field)) : text(field);
}

function text(field: unknown): string {
  if (typeof field === 'boolean') return field ? 'yes' : 'no';
  if (Array.isArray(field)) return field.map(text).join(', ');
  return typeof field === 'object' && field !== null ? inline(field) : String(field);
}

function inline(value: object): string {
  return Object.entries(withDates(value))
    .filter(([, field]) => !isEmpty(field))
    .map(([name, field]) => `${title(name)}: ${shown(name, field)}`)
    .join('; ');
}
