/**
 * Simulated computers with a chip of any kind, for tests in which a person's keys move between them: made and removed
 * with one test, granted by the name of the destination, and asked to show that a credential works.
 */
import { createPrivateKey, sign, verify, X509Certificate } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { toHex, utf8 } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { openPkcs12 } from '../../core/src/crypto/pkcs12.ts';
import type { Installable } from '../../core/src/operations/install-credential.ts';
import type { ArchiveResult, ImportResult } from '../../core/src/operations/results.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
import { Computer } from './computer.ts';
import { recording, Swtpm, type Exchange } from './swtpm.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { grant, ownerPassword, password } from './world.ts';

/** A software chip, or a TPM with a storage key of this type. */
export type KindOfChip = 'software' | 'ECC' | 'RSA';

export interface ComputerWithChip {
  readonly name: string;
  readonly computer: Computer;
  /** Undefined for a software chip. */
  readonly tpm: Swtpm | undefined;
  /** Everything that crossed this TPM's bus since the platform was initialized; a test may empty it. */
  readonly bus: Exchange[];
}

/** A folder with a share, in which computers are made. */
export class Computers {
  readonly folder: string;
  readonly share: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.share = join(folder, 'share');
  }

  static async make(): Promise<Computers> {
    const made = new Computers(await makeTemporaryFolder());
    await mkdir(made.share, { mode: 0o700 });
    return made;
  }

  /** An initialized platform with a local owner. */
  async computer(name: string, kind: KindOfChip): Promise<ComputerWithChip> {
    const tpm = kind === 'software' ? undefined : await Swtpm.start();
    if (tpm !== undefined) onTestFinished(() => tpm.stop());
    // An ECC key is left for the platform to make.
    if (kind === 'RSA') await tpm?.makeStorageKey('RSA');
    const home = join(this.folder, name);
    await mkdir(home, { mode: 0o700 });
    const computer = await Computer.at(home, {}, undefined, tpm?.address);
    await computer.run('platform-initialize', {}, { ownerPassword });
    const bus: Exchange[] = [];
    if (tpm !== undefined) {
      const open = recording(tpm.open, bus);
      const chip = (_: string, recorded?: Uint8Array) =>
        Promise.resolve(tpm.chip({ open, ...(recorded !== undefined && { recorded }) }));
      computer.ports = { ...computer.ports, chip };
    }
    return { name, computer, tpm, bus };
  }

  /** The grant of `from`'s owner for `to`, which proves nothing about its chip (that has tests of its own). */
  async grant(from: ComputerWithChip, to: ComputerWithChip, parameters: ParameterValues = {}): Promise<void> {
    const unattested = { allowUnattested: true, ...parameters };
    await grant({ share: this.share }, from.computer, to.computer, unattested);
  }

  /** Export; answers the archive's path. */
  async export(from: ComputerWithChip, to: ComputerWithChip, withPassword = password): Promise<string> {
    const path = join(this.share, `${from.name} to ${to.name}.sparc`);
    const parameters = { path, destination: to.name, overwrite: true };
    await from.computer.one<ArchiveResult>('export', parameters, { password: withPassword });
    return path;
  }

  /** Grant, export and import. */
  async move(from: ComputerWithChip, to: ComputerWithChip, withPassword = password): Promise<ImportResult> {
    await this.grant(from, to);
    const path = await this.export(from, to, withPassword);
    return await to.computer.one<ImportResult>('import', { path }, { password: withPassword });
  }
}

/** Signs with the key of a credential as the certificate store would get it, and verifies with its certificate. */
export async function credentialWorks(
  { computer }: ComputerWithChip,
  credential: string,
  withPassword = password,
): Promise<string> {
  const oneTimeSecret = toHex(new Uint8Array(32).fill(7));
  const { pfx } = await computer.one<Installable>(
    'credential-install',
    { credential, allowUnprotectedStore: true },
    { password: withPassword, oneTimeSecret },
  );
  const [entry] = openPkcs12(pfx.reveal, new SecretBytes(utf8(oneTimeSecret)), 'handed over');
  if (entry?.certificate === undefined) throw new Error('no key with a certificate was handed over');
  const key = createPrivateKey({ key: Buffer.from(entry.privateKey.reveal), format: 'der', type: 'pkcs8' });
  const { publicKey, fingerprint } = new X509Certificate(entry.certificate);
  const letter = Buffer.from('signed where the key is now');
  if (!verify('sha256', letter, publicKey, sign('sha256', letter, key)))
    throw new Error('the signature is wrong');
  return fingerprint;
}
