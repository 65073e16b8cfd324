/**
 * A whole migration on Windows from PC-A to PC-B and on to PC-C, first by commands and then in the process protocol: on software
 * chips, and on three TPMs through TPM Base Services. The testkit opens what lies on each computer, on Linux, and finds the very
 * keys that OpenSSL had made; the TPMs are asked whether anything is left in them.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  AccessResult,
  ArchiveResult,
  CredentialResult,
  IdentityResult,
  ImportResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import { WINDOWS_USER } from '../../scripts/windows/lane.ts';
import { WindowsComputer } from '../testkit/windows/computer.ts';
import { makeWindowsFolder } from '../testkit/windows/folder.ts';
import { haveWindows, windowsPath } from '../testkit/windows/lane.ts';
import { makePfx, pfxPassword } from '../testkit/windows/pfx.ts';
import { WindowsTpm } from '../testkit/windows/tpm.ts';

const password = 'Annas eigenes Passwort äöü';
const owner = 'the owner of this computer';
const names = ['PC-A', 'PC-B', 'PC-C'] as const;

describe.skipIf(!haveWindows())('a migration on Windows', { timeout: 600_000 }, () => {
  it('by commands, and on to a third computer by the process protocol', async () => {
    const story = await Story.begin([undefined, undefined, undefined]);
    await story.fromAToB();
    await story.fromBToC();
    await story.theSameKeys();
  });

  describe('with TPMs', () => {
    let tpms: readonly WindowsTpm[] = [];
    beforeAll(async () => {
      tpms = await Promise.all(names.map(() => WindowsTpm.start()));
    });
    afterAll(async () => {
      await Promise.all(tpms.map((tpm) => tpm.stop()));
    });

    // By default the demonstration does, with more steps.
    it.runIf(process.env.SPMIGRATION_FULL === '1')(
      'goes the same way, and leaves nothing in them',
      async () => {
        const story = await Story.begin(tpms);
        for (const computer of story.computers) {
          const status = await computer.result<StatusResult>(['status']);
          expect(status).toMatchObject({ chip: 'tpm2', chipManufacturer: 'IBM', chipProblem: null });
        }
        await story.fromAToB();
        await story.fromBToC();
        await story.theSameKeys();
        for (const { swtpm } of tpms) expect(await swtpm.leftLoaded()).toEqual([]);
      },
    );

    it('is not gone on with where the TPM is gone', async () => {
      const folder = await makeWindowsFolder();
      const tpm = await WindowsTpm.start();
      const computer = await WindowsComputer.make(folder, 'PC-D', tpm);
      await computer.result(['platform-initialize', '--owner-password-stdin', '--yes'], [owner]);
      await tpm.stop();
      expect(await computer.refusal(['user-initialize', '--password-stdin', '--yes'], [password])).toBe(
        'ChipLost',
      );
      const none = await WindowsComputer.make(folder, 'PC-E', undefined);
      const demanding = ['platform-initialize', '--chip', 'Tpm2', '--owner-password-stdin', '--yes'];
      expect(await none.refusal(demanding, [owner])).toBe('ChipNotFound');
    });
  });
});

/** Three computers and a share, told step by step. */
class Story {
  readonly computers: readonly WindowsComputer[];
  readonly #share: string;
  readonly #keys: readonly string[];

  private constructor(computers: readonly WindowsComputer[], share: string, keys: readonly string[]) {
    this.computers = computers;
    this.#share = share;
    this.#keys = keys;
  }

  static async begin(tpms: readonly (WindowsTpm | undefined)[]): Promise<Story> {
    const folder = await makeWindowsFolder();
    const share = join(folder, 'Austausch 共有');
    await mkdir(share);
    const computers: WindowsComputer[] = [];
    for (const [index, name] of names.entries())
      computers.push(await WindowsComputer.make(folder, name, tpms[index]));
    await Promise.all(
      computers.map((computer) =>
        computer.result<StatusResult>(['platform-initialize', '--owner-password-stdin', '--yes'], [owner]),
      ),
    );
    const keys = [makePfx(share, 'Mail', 'RSA'), makePfx(share, 'Sign', 'P-256')];
    return new Story(computers, share, keys);
  }

  async fromAToB(): Promise<void> {
    const [a, b] = this.#pair(0);
    await a.result(['user-initialize', '--password-stdin', '--yes'], [password]);
    for (const name of ['Mail', 'Sign']) {
      const path = windowsPath(join(this.#share, `${name}.pfx`));
      const adding = ['credential-add', '--path', path, '--password-stdin', '--pfx-password-stdin', '--yes'];
      const added = await a.result<CredentialResult>(adding, [password, pfxPassword]);
      expect(added).toMatchObject({ label: name, change: 'Added' });
    }
    const enabling = ['feature-enable', 'SecureEmail', '--credential', 'Mail', '--password-stdin', '--yes'];
    await a.result(enabling, [password]);

    const exporting = [
      'export',
      windowsPath(this.#share),
      '--destination',
      'PC-B',
      '--password-stdin',
      '--yes',
    ];
    expect(await a.refusal(exporting, [password])).toBe('DestinationNotAuthorized');
    const identity = await b.result<IdentityResult>(['identity-export', windowsPath(this.#share)]);
    expect(identity.path).toBe(windowsPath(join(this.#share, 'PC-B.spid')));
    const granting = [
      'access-grant',
      identity.path,
      '--fingerprint',
      identity.fingerprint,
      '--owner-password-stdin',
      '--yes',
    ];
    const access = await a.result<AccessResult>([...granting, ...this.#unattested], [owner]);
    expect(access).toMatchObject({ destination: 'PC-B', state: 'Valid' });

    const archive = await a.result<ArchiveResult>(exporting, [password]);
    expect(archive.path).toBe(windowsPath(join(this.#share, `${WINDOWS_USER}@PC-B.sparc`)));
    const importing = ['import', archive.path, '--enable-feature', '--password-stdin', '--yes'];
    expect(await this.computers[2]?.refusal(importing, [password])).toBe('ArchiveNotForThisPlatform');
    expect(await b.refusal(importing, ['a guess that is wrong'])).toBe('PasswordRejected');
    const imported = await b.result<ImportResult>(importing, [password]);
    expect(imported).toMatchObject({ case: 'Install', featuresActive: ['SecureEmail'] });
    const again = await b.result<ImportResult>(importing, [password]);
    expect(again).toMatchObject({ case: 'Merge', unchanged: true });
  }

  async fromBToC(): Promise<void> {
    const [b, c] = this.#pair(1);
    await rm(this.computers[0]?.home ?? '', { recursive: true });
    const path = windowsPath(this.#share);
    const [identity] = await c.results<[IdentityResult]>({ cmd: 'identity-export', params: { path } });
    const [, archive] = await b.results<[AccessResult, ArchiveResult]>(
      {
        cmd: 'access-grant',
        params: {
          path: identity.path,
          fingerprint: identity.fingerprint,
          ...(this.#unattested.length > 0 && { allowUnattested: true }),
        },
        secrets: { ownerPassword: owner },
      },
      { cmd: 'export', params: { path, destination: 'PC-C' }, secrets: { password } },
    );
    const importing = { cmd: 'import', params: { path: archive.path } };
    const fromC = c.converse();
    const planned = await fromC.ask({ ...importing, mode: 'plan', secrets: { password } });
    const planId = planned.find(({ t }) => t === 'plan')?.planId ?? '';
    const imported = await fromC.result<ImportResult>({ ...importing, mode: 'apply', planId });
    expect(imported).toMatchObject({ case: 'Install' });
    expect(await fromC.end()).toMatchObject({ code: 0, stderr: '' });
  }

  /** PC-A is gone; what it held is what OpenSSL had made. */
  async theSameKeys(): Promise<void> {
    const wanted = [...this.#keys].sort();
    for (const computer of this.#pair(1)) {
      const { publicKeys, password: opened } = await computer.environment(password);
      expect([computer.name, opened, [...publicKeys].sort()]).toEqual([computer.name, password, wanted]);
    }
    // Nothing of a change is left beside its files.
    const left = await readdir(this.#share);
    expect(left.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  }

  get #unattested(): readonly string[] {
    return 'SPMIGRATION_TPM' in (this.computers[0]?.env ?? {}) ? ['--allow-unattested'] : [];
  }

  #pair(first: number): readonly [WindowsComputer, WindowsComputer] {
    const [one, other] = this.computers.slice(first);
    if (one === undefined || other === undefined) throw new Error('there are three computers');
    return [one, other];
  }
}
