/**
 * Signing: what a signing program may make of a file and what not, on small files; and the real executable and scripts, signed
 * by `scripts/sign-with-osslsigncode.sh` under a certificate of the test and verified by osslsigncode. Leaves out what Windows
 * says to a signature (docs/windows-checklist.md); that a signed executable runs there is in test/windows/package.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NtExecutable, NtExecutableResource } from 'resedit';
import { describe, expect, it, vi } from 'vitest';
import { fillModule } from '../../scripts/build/assemble.ts';
import { PRODUCT, bundle } from '../../scripts/build/bundle.ts';
import { freshExecutable } from '../../scripts/build/freshness.ts';
import { ROOT } from '../../scripts/build/platform.ts';
import { compareSigned, signModule, SigningError } from '../../scripts/build/sign.ts';
import { makePublisher, signingProgram, signsScripts, verifySignature } from '../testkit/publisher.ts';
import { has } from '../testkit/requirement.ts';
import { makeTemporaryFolder } from '../testkit/temporary-folder.ts';

const PE = 0x80;

/** An image of the layout that is read, with a signature of this size; its length is no multiple of 8 without one. */
function image(signatureSize = 0): Uint8Array {
  const length = 0x304;
  const filled = signatureSize === 0 ? length : 0x308;
  const bytes = new Uint8Array(filled + signatureSize);
  bytes.set(new Uint8Array(length).map((_, index) => (index * 7) & 0xff));
  bytes.fill(0xaa, filled);
  const view = new DataView(bytes.buffer);
  view.setUint32(0x3c, PE, true);
  view.setUint32(PE + 24 + 64, signatureSize, true);
  view.setUint32(PE + 24 + 112 + 32, signatureSize === 0 ? 0 : filled, true);
  view.setUint32(PE + 24 + 112 + 36, signatureSize, true);
  return bytes;
}

const signature = '\r\n# SIG # Begin signature block\r\n# MIIB\r\n# AQ==\r\n# SIG # End signature block\r\n';
const xmlSignature =
  '\r\n<!-- SIG # Begin signature block -->\r\n<!-- MIIB -->\r\n<!-- SIG # End signature block -->\r\n';

describe('what a signing program made', () => {
  const text = (content: string): Uint8Array => Buffer.from(content);
  const damagedImage = image(16);
  damagedImage[0x200] = 1;
  const unfilled = image(16);
  unfilled[0x305] = 1;

  it.each([
    ['of an executable: a signature at its end', 'a.exe', image(), image(16), 'signed'],
    ['of an executable: another signature', 'a.exe', image(24), image(16), 'signed'],
    ['of an executable: nothing', 'a.exe', image(), image(), 'unsigned'],
    ['of an executable: another byte', 'a.exe', image(), damagedImage, 'damaged'],
    ['of an executable: something in the gap', 'a.exe', image(), unfilled, 'damaged'],
    ['of an executable: no signature', 'a.exe', image(16), image(), 'damaged'],
    [
      'of an executable: something behind it',
      'a.exe',
      image(),
      Buffer.concat([image(16), text('x')]),
      'damaged',
    ],
    ['of an executable: no file', 'a.exe', image(), new Uint8Array(), 'damaged'],
    ['of a script: a signature at its end', 'a.psm1', text('f\n'), text(`f\n${signature}`), 'signed'],
    [
      'of a view: a signature at its end',
      'a.ps1xml',
      text('<a/>\n'),
      text(`<a/>\n${xmlSignature}`),
      'signed',
    ],
    ['of a script: nothing', 'a.psd1', text('f\n'), text('f\n'), 'unsigned'],
    ['of a script: another line', 'a.psm1', text('f\n'), text(`g\n${signature}`), 'damaged'],
    [
      'of a script: a line behind the signature',
      'a.psm1',
      text('f\n'),
      text(`f\n${signature}g\n`),
      'damaged',
    ],
    [
      'of a script: a line in the signature',
      'a.psm1',
      text('f\n'),
      text(`f\n${signature.replace('# M', 'M')}`),
      'damaged',
    ],
    ['of a script: a line', 'a.psm1', text('f\n'), text('f\ng\n'), 'damaged'],
  ] as const)('%s', (_, name, before, after, outcome) => {
    expect(compareSigned(name, before, after)).toBe(outcome);
  });
});

describe('a signing program', () => {
  async function module(): Promise<string> {
    const folder = await makeTemporaryFolder();
    await mkdir(join(folder, 'bin/win-x64'), { recursive: true });
    await mkdir(join(folder, 'bin/linux-x64'));
    await writeFile(join(folder, 'bin/win-x64/spmigration.exe'), image());
    await writeFile(join(folder, 'bin/linux-x64/spmigration'), 'not for Windows');
    for (const name of ['SPMigration.psm1', 'SPMigration.psd1', 'SPMigration.format.ps1xml', 'LICENSE'])
      await writeFile(join(folder, name), `${name}\n`);
    return folder;
  }

  async function program(lines: string): Promise<string> {
    const file = join(await makeTemporaryFolder(), 'sign.sh');
    await writeFile(file, `#!/bin/sh\n${lines}\n`);
    await chmod(file, 0o755);
    return file;
  }

  /** As a file that the program copies over the executable. */
  async function signedImage(): Promise<string> {
    const file = join(await makeTemporaryFolder(), 'signed');
    await writeFile(file, image(16));
    return file;
  }

  it('is asked for the executable first, then for each script, and for nothing else', async () => {
    const folder = await module();
    const log = join(await makeTemporaryFolder(), 'log');
    const signing = await program(
      `echo "$@" >> '${log}'\ncase $1 in *.exe) cp '${await signedImage()}' "$1" ;; esac`,
    );
    expect(await signModule(folder, signing)).toEqual([
      'SPMigration.format.ps1xml',
      'SPMigration.psd1',
      'SPMigration.psm1',
    ]);
    expect((await readFile(log, 'utf8')).trim().split('\n')).toEqual(
      [
        'bin/win-x64/spmigration.exe',
        'SPMigration.format.ps1xml',
        'SPMigration.psd1',
        'SPMigration.psm1',
      ].map((name) => join(folder, name)),
    );
  });

  it.each([
    [
      'fails',
      'echo out; echo why >&2; exit 4',
      'sign.sh failed for bin/win-x64/spmigration.exe: exit code 4\nout\nwhy',
    ],
    ['is ended', 'kill -9 $$', 'sign.sh failed for bin/win-x64/spmigration.exe: it was ended by SIGKILL'],
    ['does nothing', 'true', 'sign.sh did not sign bin/win-x64/spmigration.exe'],
    [
      'breaks the executable',
      'printf x >> "$1"',
      'sign.sh changed more than the signature of bin/win-x64/spmigration.exe',
    ],
    ['removes it', 'rm "$1"', 'sign.sh changed more than the signature of bin/win-x64/spmigration.exe'],
  ])('that %s ends the packaging', async (_, lines, message) => {
    const signing = await program(lines);
    const signed = signModule(await module(), signing);
    await expect(signed).rejects.toThrow(SigningError);
    await expect(signed).rejects.toThrow(message);
  });

  it('that breaks a script ends the packaging, and so does one that is not there', async () => {
    const breaking = await program(
      `case $1 in *.exe) cp '${await signedImage()}' "$1" ;; *) echo >> "$1" ;; esac`,
    );
    await expect(signModule(await module(), breaking)).rejects.toThrow(
      'changed more than the signature of SPMigration.format.ps1xml',
    );
    await expect(signModule(await module(), '/no/such/program')).rejects.toThrow(/ENOENT/);
  });

  it('is refused where nothing is for Windows', () => {
    const args = [
      'scripts/package.ts',
      '--platform',
      'linux-x64',
      '--sign',
      'scripts/sign-with-osslsigncode.sh',
    ];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('--sign: only Windows looks at signatures');
  });
});

const needsSigner = !has('openssl') || !has('osslsigncode');

describe.skipIf(needsSigner)('signed by osslsigncode', { timeout: 240_000 }, () => {
  it('executable and scripts verify, and are otherwise what they were', async () => {
    const work = await makeTemporaryFolder();
    const publisher = await makePublisher(work);
    for (const [name, value] of Object.entries(publisher.env)) vi.stubEnv(name, value);
    const plain = await freshExecutable('win-x64');
    const folder = await makeTemporaryFolder();
    const unsigned = await fillModule(folder, {
      bundle: await bundle(PRODUCT),
      platforms: ['win-x64'],
      placeExecutable: (_, output) => copyFile(plain, output),
      sign: signingProgram,
    });
    const scripts = ['SPMigration.format.ps1xml', 'SPMigration.psd1', 'SPMigration.psm1'];
    expect(unsigned).toEqual(signsScripts() ? [] : scripts);

    const executable = join(folder, 'bin/win-x64/spmigration.exe');
    for (const file of [executable, ...(signsScripts() ? scripts.map((name) => join(folder, name)) : [])]) {
      const { isGood, text } = verifySignature(file, publisher);
      expect([file, isGood, text]).toEqual([
        file,
        true,
        expect.stringContaining('/CN=Test publisher') as string,
      ]);
      await refusesChange(file);
    }

    async function refusesChange(file: string): Promise<void> {
      const changed = join(work, file.split('/').at(-1) ?? '');
      const bytes = await readFile(file);
      const index = Math.floor(bytes.length / 3);
      bytes.writeUInt8((bytes.readUInt8(index) ^ 1) & 0xff, index);
      await writeFile(changed, bytes);
      expect([changed, verifySignature(changed, publisher).isGood]).toEqual([changed, false]);
    }

    // The program that it carries, and the words that Windows shows, are there as before.
    const carried = resources(await readFile(executable));
    expect(carried).toEqual(resources(await readFile(plain)));
    expect(Object.keys(carried)).toEqual(expect.arrayContaining(['10 NODE_SEA_BLOB', '16 1']));
    expect((await stat(plain)).size).toBeLessThan((await stat(executable)).size);
    const sums = spawnSync('sha256sum', ['--quiet', '-c', 'SHA256SUMS'], { cwd: folder, encoding: 'utf8' });
    expect([sums.stdout, sums.status]).toEqual(['', 0]);
  });
});

/** Type and name to the hash of the content. */
function resources(bytes: Uint8Array): Readonly<Record<string, string>> {
  const { entries } = NtExecutableResource.from(NtExecutable.from(bytes, { ignoreCert: true }));
  return Object.fromEntries(
    entries.map(({ type, id, bin }) => {
      const content = new Uint8Array(bin);
      return [`${type} ${id}`, createHash('sha256').update(content).digest('hex')] as const;
    }),
  );
}
