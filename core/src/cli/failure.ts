/** An error as both front doors show it: always one of the catalogue. */
import { fail, isSPMigrationError, type SPMigrationError } from '../domain/error.ts';

/** The error itself where it is ours; anything else is `InternalError` with its cause. */
export function toCatalogue(error: unknown): SPMigrationError {
  if (isSPMigrationError(error)) return error;
  const problem = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return fail('InternalError', { problem }, error);
}
