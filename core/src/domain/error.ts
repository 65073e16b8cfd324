/**
 * The one error of this product. It carries a code of the catalogue, details for the message (never a secret) and the
 * cause; message, hint, class and exit code are the catalogue's. Built by `fail` only.
 */
import { errorCatalogue, type ErrorCode } from './error-catalogue.ts';

/** Facts that fill the message's `{placeholders}` and travel as data. Paths and names belong here; secrets never. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

const brand = Symbol.for('spmigration.error');

/** See the file's head. `details` are already display text or plain numbers. */
export class SPMigrationError extends Error {
  override readonly name = 'SPMigrationError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly [brand] = true;

  constructor(code: ErrorCode, details: ErrorDetails, cause: unknown) {
    super(fill(errorCatalogue[code].message, details), cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }

  /** The next step for the reader, from the catalogue. */
  get hint(): string {
    return fill(errorCatalogue[this.code].hint, this.details);
  }
}

/** Makes the error for `code`; use as `throw fail('ArchiveDamaged', { path })`. */
export function fail(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown): SPMigrationError {
  return new SPMigrationError(code, details, cause);
}

/** Whether `error` is one of ours, also across separately loaded parts of the executable. */
export function isSPMigrationError(error: unknown): error is SPMigrationError {
  return typeof error === 'object' && error !== null && brand in error;
}

/** Whether `error` is ours and has this very code. */
export function hasCode(error: unknown, code: ErrorCode): error is SPMigrationError {
  return isSPMigrationError(error) && error.code === code;
}

function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{([a-zA-Z]+)\}/g, (_, key: string) => String(details[key] ?? `(${key} unknown)`));
}
