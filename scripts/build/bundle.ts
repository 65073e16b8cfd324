/**
 * Turns the TypeScript sources into the chunks that the executable carries as assets: esbuild bundles them as ES modules
 * with splitting, which gives every module exactly one home and every `import()` a chunk of its own; each chunk is then
 * rewritten as the body of a CommonJS function for scripts/build/loader.cjs. Why so: docs/decisions/0002-executable.md.
 * Leaves out: writing files and making executables (executable.ts). Sources must not use top-level await.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type BuildOptions, type Metafile, type Plugin, build, transform } from 'esbuild';
import { ROOT } from './platform.ts';

export interface Bundle {
  /** The script that the executable starts with. */
  readonly main: string;
  /** Asset name (`main.js`, `rpc-3KXQW2ZL.js`) to source text, sorted by name. */
  readonly chunks: ReadonlyMap<string, string>;
  /** esbuild's record of what went in. */
  readonly metafile: Metafile;
}

export interface BundleSource {
  /** The project's root: where package.json, node_modules and scripts/build/shims lie. */
  readonly root: string;
  /** The entry module, relative to the root. */
  readonly entry: string;
  /** A module that another stands in for, where it is no product: both relative to the root. */
  readonly replaced?: { readonly module: string; readonly by: string };
}

export const PRODUCT: BundleSource = { root: ROOT, entry: 'core/src/main.ts' };

/** Packages that yargs brings and that the executable replaces by files of shims/; each file says why. */
const REPLACED = { 'string-width': '', 'strip-ansi': '', 'wrap-ansi': '', y18n: '', escalade: '/sync' };

const COMMON = {
  platform: 'node',
  target: 'node26',
  minify: true,
  legalComments: 'none',
  charset: 'ascii',
} as const satisfies BuildOptions;

/** Bundles `source`. Two calls with equal sources give equal texts, whatever folder they lie in. */
export async function bundle(source: BundleSource): Promise<Bundle> {
  const built = await build({
    ...COMMON,
    absWorkingDir: source.root,
    entryPoints: { main: source.entry },
    outdir: 'out',
    write: false,
    bundle: true,
    metafile: true,
    format: 'esm',
    splitting: true,
    logLevel: 'warning',
    // Where a linked folder really lies must not show in the names of chunks.
    preserveSymlinks: true,
    // Not whatever tsconfig.json lies above the sources: what Node honours when it runs them as they are.
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    // unzipper names it for reading archives from a cloud store; never reached, and a failed require if it were.
    external: ['@aws-sdk/client-s3'],
    define: { 'import.meta.url': MODULE_URL },
    alias: Object.fromEntries(
      Object.entries(REPLACED).map(([name, subpath]) => [
        name + subpath,
        join(source.root, `scripts/build/shims/${name}.ts`),
      ]),
    ),
    plugins: [versionOnly(join(source.root, 'package.json')), ...replacement(source)],
  });
  const chunks = await Promise.all(
    built.outputFiles.map(async (file): Promise<[string, string]> => {
      const name = file.path.slice(join(source.root, 'out').length + 1);
      return [name, await toFunction(file.text)];
    }),
  );
  chunks.sort(([a], [b]) => (a < b ? -1 : 1));
  const main = await readFile(join(import.meta.dirname, 'loader.cjs'), 'utf8');
  return { main, chunks: new Map(chunks), metafile: built.metafile };
}

/** What `import.meta.url` becomes: there are no files to name, and yargs needs a URL that is valid on Windows too. */
const MODULE_URL = '__moduleUrl';
const MODULE_URL_VALUE = 'require("node:url").pathToFileURL(process.execPath).href';

async function toFunction(module: string): Promise<string> {
  // `import()` becomes `require` in a promise: vm.Script has no module loader that could answer it.
  const options = { ...COMMON, format: 'cjs', supported: { 'dynamic-import': false } } as const;
  const { code } = await transform(module, options);
  const prologue = code.includes(MODULE_URL) ? `const ${MODULE_URL}=${MODULE_URL_VALUE};` : '';
  return `(function(exports,require,module){${prologue}${code}})`;
}

/** core/src/version.ts imports package.json; of it, only the version may reach the executable. */
function versionOnly(manifest: string): Plugin {
  return {
    name: 'version-only',
    setup: (plugins) => {
      plugins.onLoad({ filter: /[\\/]package\.json$/ }, async ({ path }) => {
        if (path !== manifest) return undefined;
        const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
        return { contents: JSON.stringify({ version }), loader: 'json' };
      });
    },
  };
}

/** Whoever imports the replaced module gets the other one, which alone may import what it replaces. */
function replacement({ root, replaced }: BundleSource): readonly Plugin[] {
  if (replaced === undefined) return [];
  const [original, path] = [join(root, replaced.module), join(root, replaced.by)];
  return [
    {
      name: 'replacement',
      setup: (plugins) => {
        plugins.onResolve({ filter: /^\./ }, ({ resolveDir, path: named, importer }) =>
          resolve(resolveDir, named) === original && importer !== path ? { path } : undefined,
        );
      },
    },
  ];
}
