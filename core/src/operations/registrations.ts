/**
 * The users whose keys an owner may delegate for: registrations in the platform's drop folder, whose owner according to
 * the operating system must be the account they name, and files named by the caller, where ownership proves nothing and
 * the confirmation shows each account and key.
 */
import { fail, isSPMigrationError } from '../domain/error.ts';
import type { Registration } from '../domain/grant.ts';
import { expectKind } from '../format/kind.ts';
import { decodeRegistration } from '../format/registration-v1.ts';
import { tpmName } from '../sealing/fingerprints.ts';
import { checkRegistration } from '../sealing/registration.ts';
import type { Call } from './operation.ts';
import { requireSameKind, type Platform } from './platform-context.ts';

/**
 * A grant holds a thousand delegations and signs one for each registered key: one account must not use them all up. A
 * person has one key here at a time, and leaves another registration only by beginning anew.
 */
const mostPerAccount = 20;

const maximumRegistrationBytes = 5 * 4 * 1024 * 1024;

/**
 * All that can be used, sorted. One per account and Basic User Key: a file that another account leaves for somebody's key
 * must not take the place of the real one. Files that cannot be used are reported.
 */
export async function knownRegistrations(
  call: Call,
  platform: Platform | undefined,
  paths: readonly string[],
): Promise<readonly Registration[]> {
  const known = new Map<string, Registration>();
  const counts = new Map<string, number>();
  const add = (registration: Registration): void =>
    void known.set(registrationKey(registration), registration);
  if (platform !== undefined) {
    const dropped = await call.ports.platform.registrations();
    for (const { ownerId, files, maximum } of dropped.passedOver) {
      reporting(call, () => {
        throw fail('LimitExceeded', {
          what: `the number of files that ${ownerId || 'accounts that nobody can tell'} left for the owner`,
          actual: files,
          maximum,
        });
      });
    }
    for (const file of dropped.files) {
      reporting(call, () => {
        const registration = read(call, file.bytes, file.path);
        if (registration.account.id !== file.ownerId) {
          throw fail('RegistrationMalformed', {
            path: file.path,
            problem: `it names ${registration.account.id}, but ${file.ownerId} owns it`,
          });
        }
        const count = (counts.get(file.ownerId) ?? 0) + 1;
        if (count > mostPerAccount) {
          const what = `the number of registrations of ${file.ownerId}`;
          throw fail('LimitExceeded', { what, actual: count, maximum: mostPerAccount });
        }
        counts.set(file.ownerId, count);
        add(registration);
      });
    }
  }
  for (const path of paths) {
    for (const file of await call.ports.files.list(path, '.spuser')) {
      add(read(call, await call.ports.files.read(file, maximumRegistrationBytes), file));
    }
  }
  return [...known.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, registration]) => registration);
}

/** What tells registrations apart; also a fact of the plans that use them. */
export function registrationKey({ account, basicUserKey }: Registration): string {
  return `${tpmName(basicUserKey)} ${account.id}`;
}

/** Name of a key's file in the drop folder. Means nothing to readers; the same key has the same one. */
export function registrationName(basicUserKey: Uint8Array): string {
  return `${tpmName(basicUserKey).slice(4, 44)}.spuser`;
}

function read(call: Call, bytes: Uint8Array, path: string): Registration {
  expectKind(bytes, 'registration', path);
  const registration = decodeRegistration(bytes, path);
  requireSameKind(path, registration.rehearsal, call.ports.rehearsal);
  // Any user may leave a file here: one that is not what it says must stop nobody's grant.
  checkRegistration(registration, path);
  return registration;
}

function reporting(call: Call, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    call.report.warning(`Passed over: ${error.message}`, error.code);
  }
}
