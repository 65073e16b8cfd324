/** PFX files of a user, made by OpenSSL, and the public keys in them as the witness has them. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export const pfxPassword = 'the issuer chose this';

/** Makes `<name>.pfx` with a self-signed certificate in `folder`. Answers the key's SubjectPublicKeyInfo in hex. */
export function makePfx(folder: string, name: string, algorithm: 'RSA' | 'P-256'): string {
  const openssl = (args: readonly string[], input?: string): Buffer =>
    execFileSync('openssl', args, { cwd: folder, input, stdio: ['pipe', 'pipe', 'ignore'] });
  const key =
    algorithm === 'RSA' ? ['-newkey', 'rsa:3072'] : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const [pem, certificate] = [`${name}.key`, `${name}.pem`];
  openssl(['req', '-x509', ...key, '-nodes', '-keyout', pem, '-out', certificate, '-subj', `/CN=${name}`]);
  const into = ['-name', name, '-out', join(folder, `${name}.pfx`), '-passout', 'stdin'];
  openssl(['pkcs12', '-export', '-inkey', pem, '-in', certificate, ...into], `${pfxPassword}\n`);
  return openssl(['pkey', '-in', pem, '-pubout', '-outform', 'DER']).toString('hex');
}
