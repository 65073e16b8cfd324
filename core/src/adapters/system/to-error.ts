/**
 * The one translation of the operating system's file errors into codes of the catalogue. Everything that is not such an
 * error (ours already, or a fault in the program) passes through unchanged. Leaves out what a path means to the reader:
 * callers that know better words catch by code.
 */
import { fail, isSPMigrationError } from '../../domain/error.ts';

/** A system error as Node reports it, e.g. `ENOSPC`. */
interface SystemError extends Error {
  readonly code: string;
}

/** Ours carry a `code` too, of another kind. */
function isSystemError(error: unknown): error is SystemError {
  if (isSPMigrationError(error)) return false;
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}

/** Whether `error` is the system's error with one of these codes. */
export function isSystemCode(error: unknown, ...codes: readonly string[]): error is SystemError {
  return isSystemError(error) && codes.includes(error.code);
}

/** What to throw for `error`, met while `path` was used. */
export function toStorageError(error: unknown, path: string): unknown {
  if (!isSystemError(error)) return error;
  const unusable = (problem: string): Error => fail('PathUnusable', { path, problem }, error);
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return fail('FileNotFound', { path }, error);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return fail('StorageDenied', { path }, error);
    case 'ENOSPC':
    case 'EDQUOT':
      return fail('StorageFull', { path }, error);
    case 'EEXIST':
      return fail('OutputExists', { path }, error);
    case 'ENAMETOOLONG':
      return unusable('the name is too long');
    case 'EISDIR':
      return unusable('it is a folder');
    case 'ELOOP':
      return unusable('it is a symbolic link where none is allowed, or links lead in a circle');
    case 'ENXIO':
      return unusable('it is no regular file');
    case 'EINVAL':
    case 'EILSEQ':
      return unusable('the name is not allowed here');
    case 'ERR_INVALID_ARG_VALUE':
      // Node's refusal of a NUL in a path, which no system can express.
      return unusable('it holds a NUL character');
    default:
      // Faults of the program (ERR_…) keep their stack; anything the disk says is a storage failure.
      return error.code.startsWith('ERR_')
        ? error
        : fail('StorageFailed', { path, problem: error.message }, error);
  }
}

/** Runs `work`, translating its errors. */
export async function storing<Value>(path: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    throw toStorageError(error, path);
  }
}
