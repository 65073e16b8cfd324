/** Checking values against an operation's parameter kinds, and turning dates into instants. */
import { fail, type SPMigrationError } from '../domain/error.ts';
import { parseInstant } from '../domain/time.ts';
import type {
  OperationEntry,
  ParameterKind,
  ParameterValue,
  ParameterValues,
} from '../operations/registry.ts';

const maximumTextCharacters = 4096;
const maximumListLength = 1000;

/**
 * The values as the operation takes them. `null` counts as absent. `refuse` makes the error for a name or value that the
 * operation does not take.
 */
export function checkParameters(
  entry: OperationEntry,
  values: Readonly<Record<string, unknown>>,
  refuse: (problem: string) => SPMigrationError,
): ParameterValues {
  const checked: Record<string, ParameterValue> = {};
  for (const [name, value] of Object.entries(values)) {
    const kind = Object.hasOwn(entry.parameters, name) ? entry.parameters[name] : undefined;
    if (kind === undefined) throw refuse(`there is no parameter ${name}`);
    if (value === null || value === undefined) continue;
    checked[name] = checkValue(name, kind, value, refuse);
  }
  for (const name of entry.required) {
    if (checked[name] === undefined)
      throw fail('ParameterInvalid', { parameter: name, problem: 'it is needed' });
  }
  return checked;
}

function checkValue(
  name: string,
  parameter: ParameterKind,
  value: unknown,
  refuse: (problem: string) => SPMigrationError,
): ParameterValue {
  switch (parameter.kind) {
    case 'flag':
      if (typeof value === 'boolean') return value;
      break;
    case 'number':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
      break;
    case 'text':
    case 'path':
      if (typeof value === 'string') return checkText(name, value);
      break;
    case 'texts':
    case 'paths':
      if (
        Array.isArray(value) &&
        value.length <= maximumListLength &&
        value.every((one) => typeof one === 'string')
      ) {
        return value.map((one) => checkText(name, one));
      }
      break;
    case 'choice': {
      const choice = parameter.choices.find(
        (one) => typeof value === 'string' && one.toLowerCase() === value.toLowerCase(),
      );
      if (choice !== undefined) return choice;
      throw fail('ParameterInvalid', {
        parameter: name,
        problem: `it is one of ${parameter.choices.join(', ')}`,
      });
    }
    case 'instant': {
      const instant = typeof value === 'string' ? parseInstant(value) : undefined;
      if (instant !== undefined) return instant;
      throw fail('ParameterInvalid', { parameter: name, problem: 'it is a date like 2026-11-24T06:00:00Z' });
    }
  }
  throw refuse(`${name} has a value of the wrong kind`);
}

function checkText(name: string, value: string): string {
  if (value.includes('\0'))
    throw fail('ParameterInvalid', { parameter: name, problem: 'it holds a zero character' });
  if (value.length > maximumTextCharacters)
    throw fail('ParameterInvalid', { parameter: name, problem: 'it is too long' });
  return value;
}
