/** The ports as a process gets them: wired to the right places, on a platform that is really there. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../core/src/bytes/bytes.ts';
import { composePorts } from '../../../core/src/compose.ts';
import { encodePlatformSettings } from '../../../core/src/format/platform-v1.ts';
import { encodePolicy } from '../../../core/src/format/policy-v1.ts';
import type { Ports } from '../../../core/src/ports/ports.ts';
import { platformIdsOf } from '../../../core/src/sealing/fingerprints.ts';
import { makeTemporaryFolder } from '../../testkit/temporary-folder.ts';

const event = { time: 1_795_500_000, operation: 'test', outcome: 'ok', account: 'me', facts: {} };

async function rehearse(): Promise<{ readonly home: string; readonly ports: Ports }> {
  const home = join(await makeTemporaryFolder(), 'PC-A');
  return { home, ports: await composePorts({ SPMIGRATION_HOME: home }) };
}

describe.runIf(process.platform === 'linux')('composePorts', () => {
  it('makes a rehearsal of SPMIGRATION_HOME, and writes nothing by itself', async () => {
    const { home, ports } = await rehearse();
    expect(ports.rehearsal).toBe(true);
    expect(ports.platform.path).toBe(join(home, 'platform'));
    expect(await ports.account.computerName()).toBe('PC-A');
    expect(await ports.account.isAdministrator()).toBe(true);
    expect(await ports.platform.settings()).toBeUndefined();
    const chip = await ports.chip('software');
    await expect(chip.storageKey()).rejects.toMatchObject({ code: 'PlatformNotInitialized' });
    expect(await readdir(join(home, '..'))).toEqual([]);
  });

  it('is a real platform without it', async () => {
    const ports = await composePorts({ HOME: '/nowhere' });
    expect(ports.rehearsal).toBe(false);
    expect(ports.platform.path).toBe('/var/lib/spmigration');
    expect(await ports.account.isAdministrator()).toBe(process.geteuid?.() === 0);
  });

  it('connects chip, platform, environment and history', async () => {
    const { home, ports } = await rehearse();
    await ports.platform.prepare();
    const storageKey = await (await ports.chip('software')).provision();
    const settings = {
      computer: 'PC-A',
      chip: 'software',
      rehearsal: true,
      storageKey,
      authorityKey: storageKey,
      authority: 'fleet',
      created: ports.clock(),
    } as const;
    await ports.platform.putSettings(encodePlatformSettings(settings));
    const { platformId, storageKeyName } = platformIdsOf(settings);
    const account = await ports.account.current(platformId);

    await ports.platform.register('key.spuser', utf8('registration'));
    expect(await ports.platform.registrations()).toMatchObject({ files: [{ ownerId: account.id }] });

    const store = ports.environment(platformId, storageKeyName);
    await store.withLock((writer) => writer.append(1, utf8('first')));
    const again = await composePorts({ SPMIGRATION_HOME: home });
    expect(await again.environment(platformId, storageKeyName).current()).toMatchObject({ generation: 1 });

    await ports.history(platformId).append('platform', event);
    await ports.history(platformId).append('user', event);
    expect(await again.history(platformId).read('platform')).toHaveLength(1);
    expect(await again.history(platformId).read('user')).toHaveLength(1);
    expect(await again.history(undefined).read('user')).toEqual([]);

    const uid = process.geteuid?.() ?? -1;
    expect((await readdir(home)).sort()).toEqual(['platform', 'users']);
    expect(await readdir(join(home, 'users', `uid-${uid}`))).toEqual([platformId]);
  });

  it('reads the policy of the rehearsal', async () => {
    const { home, ports } = await rehearse();
    await mkdir(home, { mode: 0o700 });
    await writeFile(
      join(home, 'policy'),
      encodePolicy({ trustedAuthorities: undefined, allowRehearsal: false }),
    );
    expect(await ports.policy.read()).toMatchObject({ allowRehearsal: false });
  });

  it('refuses a folder that others may write', async () => {
    const home = await makeTemporaryFolder();
    await chmod(home, 0o777);
    await expect(composePorts({ SPMIGRATION_HOME: home })).rejects.toMatchObject({
      code: 'PlatformFolderUntrusted',
    });
  });

  it.runIf(process.geteuid?.() === 0)(
    'lets nobody administer, nor use another account’s rehearsal',
    async () => {
      const home = await makeTemporaryFolder();
      await chmod(home, 0o755);
      expect(await runAsNobody(home)).toEqual({
        administrator: false,
        account: 'uid:65534',
        rehearsal: 'PlatformFolderUntrusted',
      });
    },
  );

  it('gives time and randomness', async () => {
    const { ports } = await rehearse();
    expect(Math.abs(ports.clock() - Date.now() / 1000)).toBeLessThan(5);
    expect(ports.random(32)).toHaveLength(32);
    expect(ports.random(32)).not.toEqual(ports.random(32));
  });
});

/** What the account `nobody` is told about itself, and about the rehearsal in `home`. */
async function runAsNobody(home: string): Promise<unknown> {
  const program = `
    import { composePorts } from '${new URL('../../../core/src/compose.ts', import.meta.url).href}';
    const { account } = await composePorts({});
    console.log(JSON.stringify({
      administrator: await account.isAdministrator(),
      account: (await account.current(undefined)).id,
      rehearsal: await composePorts({ SPMIGRATION_HOME: process.argv[1] }).catch((error) => error.code),
    }));`;
  const parameters = ['--input-type=module', '-e', program, home];
  const options = { uid: 65534, gid: 65534, cwd: '/', env: {} };
  const { stdout } = await promisify(execFile)(process.execPath, parameters, options);
  return JSON.parse(stdout);
}
