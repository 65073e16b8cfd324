/**
 * The certificate store of the lane's Windows. Wine keeps in it what is added, but not that something was removed, and ends a
 * program that asks for the private key of a certificate in it; so tests begin with an empty one, and the module's function
 * that deletes such a key is replaced by one that does nothing (to be seen on Windows: docs/windows-checklist.md).
 */
import { windowsLane } from './lane.ts';
import { runInWindows } from './processes.ts';

/** For sessions that have imported the module; empty outside of the lane. */
export const storeDoubles =
  windowsLane() === undefined
    ? ''
    : '& (Get-Module SPMigration) { function script:Remove-SPPersistedKey { } }';

/** Empties the store by Windows' own program for the registry; outside of the lane stores are tests' own. */
export function emptyCertificateStore(): void {
  if (windowsLane() === undefined) return;
  reg('delete', String.raw`HKCU\Software\Microsoft\SystemCertificates\My`, '/f');
}

/** Runs Windows' own program for the registry; answers its exit code. */
export function reg(...args: readonly string[]): number | null {
  return runInWindows('reg.exe', ...args).status;
}

/** The values of a key as Windows' own program for the registry shows them: type and text by name; none where there is no key. */
export function regQuery(key: string): Readonly<Record<string, readonly [string, string]>> {
  const { stdout } = runInWindows('reg.exe', 'query', key);
  const rows = [...stdout.matchAll(/^ {4}(.+?) {4}(REG_\w+) {4}(.*?)\r?$/gm)];
  return Object.fromEntries(rows.map(([, name = '', type = '', value = '']) => [name, [type, value]]));
}
