/**
 * Files that are not what they should be, at every operation that takes one: the wrong kind, named for what it is; mangled
 * by an editor or a redirection; of a newer version; and every archive of the vectors, through import and archive-test.
 */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import type { OperationName, ParameterValues } from '../../core/src/operations/registry.ts';
import type { ArchiveTestResult, AuthorityResult } from '../../core/src/operations/results.ts';
import { makeCertificate } from '../testkit/certificates.ts';
import type { Computer } from '../testkit/computer.ts';
import { decodeVector, type Vector } from '../testkit/vectors/vector-file.ts';
import {
  copyWorld,
  makeWorld,
  ownerPassword,
  password,
  refused,
  rejection,
  removeWorld,
  type MadeWorld,
  type World,
} from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

/** One good file of each kind in a folder, by what messages call it. */
const samples = {
  'an identity': 'PC-B.spid',
  'a grant': 'a.spgrant',
  'a revocation list': 'a.sprevoked',
  'an authority file': 'fleet.spauthority',
  'a public authority file': 'fleet.spauthority.pub',
  'an owner-password backup': 'fleet.spownerbackup',
  'a registration': 'a.spuser',
  'platform settings': 'platform',
  'a generation of an environment': 'a.spenv',
  'an archive': 'a.sparc',
  'a PKCS#12 (PFX) file': 'a.pfx',
  'a certificate': 'a.cer',
  'a PEM file': 'a.pem',
  'a ZIP file that is not an archive of SPMigration': 'a.zip',
  'an empty file': 'empty',
} as const;
type Sample = keyof typeof samples;

/** Every operation that takes a file: the kind it needs, and how it is called with `path`. */
const readers: readonly {
  readonly operation: OperationName;
  readonly needs: Sample;
  readonly parameters?: (path: string, world: World) => ParameterValues;
}[] = [
  { operation: 'identity-read', needs: 'an identity' },
  { operation: 'access-grant', needs: 'an identity' },
  { operation: 'revocation-add', needs: 'a revocation list' },
  { operation: 'archive-read', needs: 'an archive' },
  { operation: 'archive-remove', needs: 'an archive' },
  { operation: 'import', needs: 'an archive' },
  { operation: 'credential-add', needs: 'a PKCS#12 (PFX) file' },
  {
    operation: 'access-grant',
    needs: 'an authority file',
    parameters: (path, { share }) => ({
      path: join(share, 'PC-B.spid'),
      authorityPath: path,
      outputPath: share,
    }),
  },
  {
    operation: 'access-grant',
    needs: 'an owner-password backup',
    parameters: (path, { share }) => ({
      path: join(share, 'PC-B.spid'),
      authorityPath: join(share, samples['an authority file']),
      backupPath: path,
      outputPath: share,
    }),
  },
  {
    operation: 'access-grant',
    needs: 'a registration',
    parameters: (path, { share }) => ({ path: join(share, 'PC-B.spid'), registrationPath: [path] }),
  },
];

let made: MadeWorld;
beforeAll(async () => {
  made = await makeWorld();
  await makeSamples(made.world);
});
afterAll(() => removeWorld(made));

describe.each(readers)('$operation, which needs $needs,', ({ operation, needs, parameters }) => {
  const run = (world: World, name: string) => () => {
    const path = join(world.share, name);
    return world.a.run(operation, parameters?.(path, world) ?? { path }, { password, ownerPassword });
  };

  it('names every other kind for what it is', async () => {
    const world = await copyWorld(made);
    for (const [what, name] of Object.entries(samples)) {
      if (what === needs) continue;
      const error = await refused(world, 'WrongFileKind', run(world, name));
      expect(`${what}: ${error.message}`).toBe(
        `${what}: ${join(world.share, name)} is ${what}; ${needs} is needed.`,
      );
    }
  });

  it.skipIf(needs === 'an archive' || needs.includes('PKCS#12'))(
    'says how a text file was mangled, and which version it has',
    async () => {
      const world = await copyWorld(made);
      const whole = await readFile(join(world.share, samples[needs]), 'latin1');
      const mangled: readonly (readonly [ErrorCode, string, Uint8Array])[] = [
        ['FileMangled', 'byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes(whole)])],
        ['FileMangled', 'CR LF', bytes(whole.replaceAll('\n', '\r\n'))],
        ['FileMangled', 'UTF-16', Buffer.from(`\ufeff${whole}`, 'utf16le')],
        ['FileMangled', 'UTF-16', Buffer.from(whole, 'utf16le')],
        ['FileMangled', 'UTF-16', Buffer.from(`\ufeff${whole}`, 'utf16le').swap16()],
        ['VersionUnsupported', 'version 2', bytes(whole.replace(' v1\n', ' v2\n'))],
      ];
      for (const [code, said, content] of mangled) {
        await writeFile(join(world.share, 'mangled'), content);
        const error = await refused(world, code, run(world, 'mangled'));
        expect(error.message).toContain(said);
      }
      await writeFile(join(world.share, 'mangled'), bytes(whole.replace(' v1\n', ' v0\n')));
      await refused(world, 'WrongFileKind', run(world, 'mangled'));
    },
  );

  it('says that there is none, or that it is a folder', async () => {
    const world = await copyWorld(made);
    await refused(world, 'FileNotFound', run(world, 'none'));
    await mkdir(join(world.share, 'folder'));
    if (needs !== 'a registration') await refused(world, 'PathUnusable', run(world, 'folder'));
  });
});

describe('the archives of the vectors', () => {
  it('are refused by import and by archive-test alike, whatever was done to the ZIP or below it', async () => {
    const world = await copyWorld(made);
    const outcomes: string[] = [];
    for (const vector of await archiveVectors()) {
      const path = join(world.share, `${vector.name}.sparc`);
      await writeFile(path, vector.body);
      const code = codeOf(vector);
      const here = judgedAfterKind.includes(code) ? 'RehearsalMixed' : code;
      await refused(world, here, () => world.b.run('import', { path }, { password }));
      const [test] = await world.b.run<ArchiveTestResult>('archive-test', { path });
      const tested = test?.checks.find(({ passed }) => !passed)?.code ?? 'fits';
      if (tested !== code) outcomes.push(`${vector.name}: ${tested} instead of ${code}`);
    }
    expect(outcomes).toEqual([]);
  });
});

/** Import looks first whether an archive is of its own kind; those of the vectors were made on real platforms. */
const judgedAfterKind: readonly ErrorCode[] = [
  'BasicUserKeyPolicyWrong',
  'GrantChainInvalid',
  'SignatureInvalid',
];

/** Vectors of archives that are refused before any secret is asked. */
async function archiveVectors(): Promise<readonly Vector[]> {
  const folder = join(import.meta.dirname, '..', 'vectors');
  const names = (await readdir(folder)).filter((name) => /^archive-.*\.vector$/.test(name));
  const vectors = await Promise.all(
    names.map(async (name) => decodeVector(basename(name, '.vector'), await readFile(join(folder, name)))),
  );
  const early = vectors.filter(
    ({ headers }) => headers.get('expect') === 'refused' && headers.get('stage') !== 'open',
  );
  expect(early.length).toBeGreaterThan(30);
  return early;
}

function codeOf({ headers }: Vector): ErrorCode {
  return headers.get('code') as ErrorCode;
}

function bytes(latin1: string): Buffer {
  return Buffer.from(latin1, 'latin1');
}

async function makeSamples(world: World): Promise<void> {
  const { a, share } = world;
  const put = (name: string, content: Uint8Array | string) => writeFile(join(share, name), content);
  const copy = async (from: string, name: string) => put(name, await readFile(from));
  await a.one<AuthorityResult>(
    'authority-new',
    { path: share, backupPath: join(share, 'fleet.spownerbackup') },
    { ownerPassword },
  );
  await copy(join(a.home, 'platform', 'public', 'grants', `${made.access.serial}.spgrant`), 'a.spgrant');
  const spare = await spareRevocation(a);
  await copy(spare, 'a.sprevoked');
  const [registration = ''] = await readdir(join(a.home, 'platform', 'users'));
  await copy(join(a.home, 'platform', 'users', registration), 'a.spuser');
  await copy(join(a.home, 'platform', 'public', 'platform'), 'platform');
  const generation = (await readdir(join(a.home, 'users'), { recursive: true })).find((name) =>
    name.endsWith('.spenv'),
  );
  await copy(join(a.home, 'users', generation ?? ''), 'a.spenv');
  await copy(made.archive.path, 'a.sparc');
  const { certificate } = await makeCertificate('CN=Sample');
  await put('a.cer', certificate);
  await put('a.pem', `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString('base64')}\n`);
  await put('a.pfx', Buffer.from('308201000201033082', 'hex'));
  await put('a.zip', Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(26), Buffer.from('readme.txt')]));
  await put('empty', '');
}

/** A revocation list of PC-A; the grant that it revokes is one more, so that the first stays good. */
async function spareRevocation(a: Computer): Promise<string> {
  const { serial } = await a.one<{ serial: string }>(
    'access-grant',
    { path: join(made.world.share, 'PC-B.spid') },
    { ownerPassword },
  );
  return (await a.one<{ path: string }>('access-revoke', { serial }, { ownerPassword })).path;
}

it('a file that is none of ours says so too', async () => {
  const world = await copyWorld(made);
  await writeFile(join(world.share, 'text'), 'Dear Anna, here is the file that you wanted.\n');
  const error = await rejection(() =>
    world.b.run('import', { path: join(world.share, 'text') }, { password }),
  );
  expect(error).toMatchObject({ code: 'WrongFileKind', details: { actual: 'a file of an unknown kind' } });
});
