import { describe, expect, it } from 'vitest';
import { toStorageError } from '../../../core/src/adapters/system/to-error.ts';
import { fail } from '../../../core/src/domain/error.ts';

const systemError = (code: string): Error => Object.assign(new Error(`${code}: as Node says it`), { code });

describe('toStorageError', () => {
  it.each([
    ['ENOENT', 'FileNotFound'],
    ['ENOTDIR', 'FileNotFound'],
    ['EACCES', 'StorageDenied'],
    ['EPERM', 'StorageDenied'],
    ['EROFS', 'StorageDenied'],
    ['ENOSPC', 'StorageFull'],
    ['EDQUOT', 'StorageFull'],
    ['EEXIST', 'OutputExists'],
    ['ENAMETOOLONG', 'PathUnusable'],
    ['EISDIR', 'PathUnusable'],
    ['ELOOP', 'PathUnusable'],
    ['ENXIO', 'PathUnusable'],
    ['EINVAL', 'PathUnusable'],
    ['ERR_INVALID_ARG_VALUE', 'PathUnusable'],
    ['EIO', 'StorageFailed'],
    ['EMFILE', 'StorageFailed'],
  ])('says %s as %s, keeping the cause', (system, code) => {
    const cause = systemError(system);
    expect(toStorageError(cause, '/a/b')).toMatchObject({ code, cause });
  });

  it('leaves our errors and faults of the program as they are', () => {
    const ours = fail('EnvironmentDamaged', { path: '/a', problem: 'x' });
    const fault = new TypeError('undefined is not a function');
    const nodeFault = systemError('ERR_INVALID_ARG_TYPE');
    expect(toStorageError(ours, '/a/b')).toBe(ours);
    expect(toStorageError(fault, '/a/b')).toBe(fault);
    expect(toStorageError(nodeFault, '/a/b')).toBe(nodeFault);
  });
});
