/**
 * The bundle step: each module exactly once, `import()` lazy, no path of the build in the result, equal sources give
 * equal texts in any folder. The chunks run here as in the executable, by the same loader, whose two Node modules are
 * replaced by a map of assets. Leaves out `--build-sea` itself: `npm run reproducible` compares whole executables.
 */
import { createRequire } from 'node:module';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, PRODUCT, bundle } from '../../scripts/build/bundle.ts';
import { ROOT } from '../../scripts/build/platform.ts';

const SOURCES = {
  'package.json': '{ "version": "1.2.3", "secretPlan": "none" }',
  'core/src/main.ts': `
    import { shared } from './shared.ts';
    import manifest from '../../package.json' with { type: 'json' };
    export const result = {
      version: manifest.version,
      shared,
      url: import.meta.url,
      lazy: async () => (await import('./lazy.ts')).lazy,
      cli: async (args: string[]) => (await import('./cli.ts')).help(args),
    };
    globalThis.bundleTest = result;`,
  'core/src/shared.ts': `export const shared = { loads: [] as string[] };`,
  'core/src/lazy.ts': `
    import { shared } from './shared.ts';
    shared.loads.push('lazy');
    export const lazy = { shared, umlaut: 'ä€', found: /€/.test('€') };`,
  'core/src/cli.ts': `
    import yargs from 'yargs';
    import { shared } from './shared.ts';
    shared.loads.push('cli');
    export const help = (args: string[]) =>
      yargs(args).scriptName('x').version('7').command('go <where>', 'goes', (y) => y.option('fast', { demandOption: true }))
        .strict().exitProcess(false).getHelp();`,
};

interface Result {
  readonly version: string;
  readonly url: string;
  readonly shared: { readonly loads: string[] };
  readonly lazy: () => Promise<{ readonly shared: unknown }>;
  readonly cli: (args: readonly string[]) => Promise<string>;
}

const folders: string[] = [];

async function sourceFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spmigration-bundle-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(SOURCES)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  for (const name of ['node_modules', 'scripts']) await symlink(join(ROOT, name), join(folder, name));
  return folder;
}

/** Runs a bundle as the executable does, its assets coming from the bundle's map. */
function start({ main, chunks }: Bundle): Result {
  const assets = { getRawAsset: (name: string) => Buffer.from(chunks.get(name)!) };
  const nodeRequire = createRequire(import.meta.url);
  const requireInExecutable = (id: string): unknown => (id === 'node:sea' ? assets : nodeRequire(id));
  const run = runInThisContext(`(function (require) {${main}\n})`) as (require: unknown) => void;
  run(requireInExecutable);
  return (globalThis as unknown as { bundleTest: Result }).bundleTest;
}

describe('bundle', () => {
  let bundled: Bundle;
  let folder: string;

  beforeAll(async () => {
    folder = await sourceFolder();
    bundled = await bundle({ root: folder, entry: PRODUCT.entry });
  });

  afterAll(async () => {
    for (const made of folders) await rm(made, { recursive: true });
  });

  it('runs, and gives every module one home and one instance', async () => {
    const result = start(bundled);
    expect(result.version).toBe('1.2.3');
    const lazy = await result.lazy();
    expect(lazy.shared).toBe(result.shared);
    expect(lazy).toMatchObject({ umlaut: 'ä€', found: true });
    expect(await result.lazy()).toBe(lazy);
  });

  it('keeps import() lazy', async () => {
    const result = start(bundled);
    expect(result.shared.loads).toEqual([]);
    await result.lazy();
    expect(result.shared.loads).toEqual(['lazy']);
    expect(bundled.chunks.get('main.js')!.length).toBeLessThan(2000);
  });

  it('carries yargs with the stand-ins for its packages', async () => {
    const help = await start(bundled).cli(['go']);
    expect(help).toMatch(/x go <where>\s+goes|goes/);
    const inputs = Object.keys(bundled.metafile.inputs);
    expect(
      inputs.filter((name) => /node_modules\/(string-width|strip-ansi|wrap-ansi|y18n|escalade)\//.test(name)),
    ).toEqual([]);
  });

  it('gives import.meta.url a value that is a file URL', () => {
    expect(new URL(start(bundled).url).protocol).toBe('file:');
  });

  it('takes nothing but the version out of package.json', () => {
    expect([...bundled.chunks.values()].join('')).not.toContain('secretPlan');
  });

  it('names no path of the computer that built it', () => {
    const everything = [bundled.main, ...bundled.chunks.values()].join('');
    expect(everything).not.toContain(folder);
    expect(everything).not.toContain(ROOT);
  });

  it('is equal for equal sources, in another folder too', async () => {
    const second = await bundle({ root: await sourceFolder(), entry: PRODUCT.entry });
    expect([...second.chunks]).toEqual([...bundled.chunks]);
    expect(second.main).toBe(bundled.main);
  });
});
