/** Results as data: instants become text. Which fields are instants is said here, once for the rpc format and `--json`. */
import { formatInstant } from '../domain/time.ts';

const dateFields: ReadonlySet<string> = new Set([
  'initializedAt',
  'passwordSet',
  'time',
  'created',
  'validFrom',
  'validUntil',
  'notBefore',
  'notAfter',
  'added',
]);

/** A result with its instants as `2026-11-24T06:00:00Z`; everything else as it is. Date names mean dates everywhere. */
export function withDates(value: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(value).map(([name, field]: [string, unknown]) => [
      name,
      dateFields.has(name) && typeof field === 'number' ? formatInstant(field) : field,
    ]),
  );
}
