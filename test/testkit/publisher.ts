/**
 * A publisher of Windows programs for tests: a certificate for code signing with its key, the authority above it, and a module
 * folder signed by them with the product's own signing program. Made anew each time; nobody trusts them.
 */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../scripts/build/platform.ts';

export const signingProgram = join(ROOT, 'scripts/sign-with-osslsigncode.sh');

export interface Publisher {
  /** PEM file: the root that must be trusted. */
  readonly authority: string;
  /** What the signing program wants to know. */
  readonly env: Readonly<Record<string, string>>;
}

/** Writes its files into `folder`. */
export async function makePublisher(folder: string): Promise<Publisher> {
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: readonly string[]): void => {
    const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  };
  const key = ['-newkey', 'rsa:3072', '-nodes', '-sha256'];
  openssl(
    ...[
      'req',
      '-x509',
      ...key,
      '-keyout',
      path('authority.key'),
      '-out',
      path('authority.pem'),
      '-days',
      '30',
    ],
    ...['-subj', '/CN=Test authority', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  );
  openssl(
    'req',
    ...key,
    '-keyout',
    path('publisher.key'),
    '-out',
    path('publisher.csr'),
    '-subj',
    '/CN=Test publisher',
  );
  await writeFile(
    path('extensions'),
    'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n',
  );
  openssl(
    ...[
      'x509',
      '-req',
      '-in',
      path('publisher.csr'),
      '-CA',
      path('authority.pem'),
      '-CAkey',
      path('authority.key'),
    ],
    ...['-CAcreateserial', '-days', '30', '-extfile', path('extensions'), '-out', path('publisher.pem')],
  );
  return {
    authority: path('authority.pem'),
    env: {
      SPMIGRATION_SIGN_CERTIFICATES: path('publisher.pem'),
      SPMIGRATION_SIGN_KEY: path('publisher.key'),
    },
  };
}

/** Whether this osslsigncode signs PowerShell's files, which it does since 2.8. */
export function signsScripts(): boolean {
  const { stdout } = spawnSync('osslsigncode', ['--version'], { encoding: 'utf8' });
  const [, major = '0', minor = '0'] = /^osslsigncode (\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 8);
}

/** What osslsigncode says of the signature of a file, and whether it is good under that authority. */
export function verifySignature(
  file: string,
  publisher: Publisher,
): { readonly isGood: boolean; readonly text: string } {
  const args = ['verify', '-CAfile', publisher.authority, '-in', file];
  const { status, stdout, stderr } = spawnSync('osslsigncode', args, { encoding: 'utf8' });
  return { isGood: status === 0, text: stdout + stderr };
}
