/**
 * The outside world of the demonstration, played by openssl: a small CA, Anna's two PFX files, a letter that Ben encrypts
 * for her, and the verification of what she signed. An independent witness: none of our code is in it.
 */
import { execFile, type PromiseWithChild } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

export class Correspondence {
  readonly #folder: string;
  /** Password of both PFX files. */
  readonly pfxPassword = 'the issuer chose this';

  constructor(folder: string) {
    this.#folder = folder;
  }

  get mailPfx(): string {
    return join(this.#folder, 'anna mail.pfx');
  }

  get signPfx(): string {
    return join(this.#folder, 'anna sign.pfx');
  }

  /** The encrypted letter. */
  get letter(): string {
    return join(this.#folder, 'letter.p7m');
  }

  /** Makes CA, certificates, PFX files and the letter. */
  async prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await this.#openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:3072',
      '-nodes',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '30',
      '-subj',
      '/CN=Demonstration CA',
    );
    await this.#certificate('mail', 'Anna (e-mail)', ['-newkey', 'rsa:3072'], this.mailPfx);
    await this.#certificate(
      'sign',
      'Anna (signature)',
      ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      this.signPfx,
    );
    await writeFile(join(this.#folder, 'letter.txt'), 'Dear Anna, this was written before you moved. Ben\n');
    await this.#openssl(
      'cms',
      '-encrypt',
      '-aes256',
      '-binary',
      '-in',
      'letter.txt',
      '-outform',
      'DER',
      '-out',
      'letter.p7m',
      'mail.pem',
    );
  }

  /** Where a computer puts what it signs. */
  async folderFor(computer: string): Promise<string> {
    const folder = join(this.#folder, computer);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** Verifies one signature against the CA; answers its signer's subject and serial number. */
  async verify(computer: string, algorithm: string): Promise<string> {
    const signature = join(computer, `${algorithm}.p7m`);
    await this.#openssl(
      'cms',
      '-verify',
      '-inform',
      'DER',
      '-in',
      signature,
      '-CAfile',
      'ca.pem',
      '-purpose',
      'any',
      '-signer',
      'signer.pem',
      '-out',
      'content.txt',
    );
    const { stdout } = await this.#openssl('x509', '-in', 'signer.pem', '-noout', '-subject', '-serial');
    return stdout.trim().replaceAll('\n', ', ');
  }

  async #certificate(name: string, subject: string, key: readonly string[], pfx: string): Promise<void> {
    await this.#openssl(
      'req',
      ...key,
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${subject}`,
    );
    await this.#openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '20',
      '-out',
      `${name}.pem`,
    );
    // The password reaches openssl through its standard input, as one line.
    const exporting = this.#openssl(
      'pkcs12',
      '-export',
      '-inkey',
      `${name}.key`,
      '-in',
      `${name}.pem`,
      '-certfile',
      'ca.pem',
      '-name',
      subject,
      '-out',
      pfx,
      '-passout',
      'stdin',
    );
    exporting.child.stdin?.end(`${this.pfxPassword}\n`);
    await exporting;
  }

  #openssl(...args: readonly string[]): PromiseWithChild<{ stdout: string; stderr: string }> {
    return execute('openssl', args, { cwd: this.#folder, encoding: 'utf8' });
  }
}
