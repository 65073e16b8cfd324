/**
 * The executables themselves: that they run, obey nobody's environment, take nothing that lies beside them, and come out
 * equal when somebody else builds them elsewhere. Leaves out running the Windows one, for which nothing here can.
 */
import { spawnSync } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NtExecutable, NtExecutableResource, Resource } from 'resedit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../core/src/version.ts';
import { type Bundle, PRODUCT, bundle } from '../../scripts/build/bundle.ts';
import { buildExecutable } from '../../scripts/build/executable.ts';
import { ROOT } from '../../scripts/build/platform.ts';
import { builtExecutable } from '../testkit/executable.ts';

const SECURITY_DIRECTORY = 4;

let executable: string;
let folder: string;
/** The product's bundle, made from a copy of its sources in another folder. */
let elsewhere: Bundle;

beforeAll(async () => {
  executable = await builtExecutable();
  folder = await mkdtemp(join(tmpdir(), 'spmigration-executable-'));
  await cp(join(ROOT, 'core'), join(folder, 'core'), { recursive: true });
  await copyFile(join(ROOT, 'package.json'), join(folder, 'package.json'));
  for (const name of ['node_modules', 'scripts']) await symlink(join(ROOT, name), join(folder, name));
  elsewhere = await bundle({ ...PRODUCT, root: folder });
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('spmigration', () => {
  it('says the version that package.json says', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(run(executable, ['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('runs no code that NODE_OPTIONS names', async () => {
    const planted = join(folder, 'planted.cjs');
    await writeFile(planted, 'console.log("planted");');
    const outcome = run(executable, ['--version'], { NODE_OPTIONS: `--require=${planted}` });
    expect(outcome.status).toBe(0);
    expect(outcome.stdout).not.toContain('planted');
  });

  it('takes no text and no setting from files beside it', async () => {
    const beside = join(folder, 'beside/bin');
    await mkdir(beside, { recursive: true });
    const copy = join(beside, 'spmigration');
    await copyFile(executable, copy);
    const expected = run(copy, ['--help']);
    const planted = JSON.stringify({
      'Options:': 'Planted:',
      'Commands:': 'Planted:',
      'Show help': 'Planted',
    });
    for (const place of ['locales', '../locales', '../../locales']) {
      await mkdir(join(beside, place), { recursive: true });
      for (const name of ['en.json', 'en_US.json']) await writeFile(join(beside, place, name), planted);
    }
    await writeFile(
      join(beside, 'package.json'),
      '{ "version": "6.6.6", "yargs": { "camel-case-expansion": false } }',
    );
    expect(expected.status).toBe(0);
    expect(run(copy, ['--help'])).toEqual(expected);
  });
});

// Whole executables of 100 MB: seconds when nothing else runs, a minute beside other suites.
describe('two builds', { timeout: 120_000 }, () => {
  it('give the same Linux executable, bit for bit', async () => {
    const output = join(folder, 'linux');
    await buildExecutable({ platform: 'linux-x64', bundle: elsewhere, output });
    expect((await readFile(output)).equals(await readFile(executable))).toBe(true);
  });

  it('give the same Windows executable, with our version and without the signature of its Node', async () => {
    const outputs = [join(folder, 'first.exe'), join(folder, 'second.exe')];
    for (const [index, output] of outputs.entries()) {
      const bundled = index === 0 ? elsewhere : await bundle(PRODUCT);
      await buildExecutable({ platform: 'win-x64', bundle: bundled, output });
    }
    const [first, second] = await Promise.all(outputs.map((output) => readFile(output)));
    expect(first!.equals(second!)).toBe(true);

    const image = NtExecutable.from(first!);
    expect(image.newHeader.optionalHeaderDataDirectory.get(SECURITY_DIRECTORY)).toEqual({
      size: 0,
      virtualAddress: 0,
    });
    const [version] = Resource.VersionInfo.fromEntries(NtExecutableResource.from(image).entries);
    // Nothing of Node's own words is left.
    const [major = 0, minor = 0, patch = 0] = VERSION.split(/[.-]/, 3).map(Number);
    expect(version!.getStringValues({ lang: 1033, codepage: 1200 })).toEqual({
      ProductName: 'SPMigration',
      FileDescription: 'SPMigration: moves a security environment to another computer',
      CompanyName: 'SPMigration contributors',
      LegalCopyright:
        'MIT License, SPMigration contributors. Contains Node.js, copyright Node.js contributors.',
      OriginalFilename: 'spmigration.exe',
      InternalName: 'spmigration',
      FileVersion: `${major}.${minor}.${patch}.0`,
      ProductVersion: `${major}.${minor}.${patch}.0`,
    });
    expect(version!.fixedInfo).toMatchObject({
      fileVersionMS: major * 0x10000 + minor,
      fileVersionLS: patch * 0x10000,
      productVersionMS: major * 0x10000 + minor,
      productVersionLS: patch * 0x10000,
    });
  });
});

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}
