import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createHistory } from '../../../core/src/adapters/store-file/history.ts';
import { fromUtf8, plain, utf8 } from '../../../core/src/bytes/bytes.ts';
import type { HistoryEvent } from '../../../core/src/domain/history.ts';
import type { History } from '../../../core/src/ports/history.ts';
import { createFailingDisk, PowerLost, type FailingDisk } from '../../testkit/failing-disk.ts';
import { createTestProcesses } from '../../testkit/surroundings.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => plain(createHash('sha256').update(bytes).digest());
const userFile = '/home/user/history';

function open(disk: FailingDisk, pid = 1): History {
  const processes = createTestProcesses().start(pid);
  return createHistory({ disk, processes, sha256, platformFile: '/var/private/history', userFile });
}

function event(number: number): HistoryEvent {
  return {
    time: 1_795_500_000 + number,
    operation: 'export',
    outcome: 'ok',
    account: 'Jörg "J" \u2028 Ünï',
    facts: { serial: `${number}`, archive: 'x\ny' },
  };
}

async function contentOf(disk: FailingDisk): Promise<string> {
  return fromUtf8((await disk.read(userFile, 100_000)).bytes) ?? '';
}

async function edit(disk: FailingDisk, change: (content: string) => string): Promise<void> {
  const content = await contentOf(disk);
  expect(change(content)).not.toBe(content);
  await disk.remove(userFile);
  await disk.create(userFile, utf8(change(content)), 0o600);
}

async function filled(lines: number): Promise<FailingDisk> {
  const disk = createFailingDisk();
  for (let number = 1; number <= lines; number++) await open(disk).append('user', event(number));
  return disk;
}

describe('history', () => {
  it('is empty at first', async () => {
    const history = open(createFailingDisk());
    expect(await history.read('user')).toEqual([]);
    expect(await history.read('platform')).toEqual([]);
    expect(await history.head('user')).toEqual(new Uint8Array());
  });

  it('gives back what was written, chained', async () => {
    const history = open(await filled(3));
    const lines = await history.read('user');
    expect(lines.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(lines[0]).toMatchObject({ ...event(1), scope: 'user', previous: '0'.repeat(64) });
    expect(lines[1]?.previous).toBe(lines[0]?.hash);
    expect(lines[2]?.previous).toBe(lines[1]?.hash);
    expect(Buffer.from(await history.head('user')).toString('hex')).toBe(lines[2]?.hash);
  });

  it('is JSON lines whose hashes anybody can compute', async () => {
    const disk = await filled(2);
    const [first = '', second = '', rest] = (await contentOf(disk)).split('\n');
    expect(rest).toBe('');
    const hash = createHash('sha256').update(first).digest('hex');
    expect(JSON.parse(second)).toMatchObject({ v: 1, scope: 'user', number: 2, previous: hash });
  });

  it.each<[string, (content: string) => string, string]>([
    ['an edited fact', (content) => content.replace('"serial":"2"', '"serial":"9"'), 'line 3'],
    ['an edited outcome in the newest line', (content) => content.replace(/ok(?=[^\n]*\n$)/, 'no'), ''],
    ['a line taken out', (content) => content.replace(/[^\n]*\n/, ''), 'line 1'],
    ['lines swapped', (content) => content.replace(/([^\n]*\n)([^\n]*\n)/, '$2$1'), 'line 2'],
    ['a line twice', (content) => content.replace(/([^\n]*\n)/, '$1$1'), 'line 2'],
    ['a blank put in', (content) => content.replace('"v":1,', '"v":1, '), 'line 1'],
    ['another name put in', (content) => content.replace('"v":1,', '"v":1,"x":1,'), 'line 1'],
    ['no JSON', (content) => content.replace('{', '('), 'line 1'],
    ['another chain', (content) => content.replaceAll('"scope":"user"', '"scope":"platform"'), 'line 1'],
    ['another type', (content) => content.replace('"number":1', '"number":"1"'), 'line 1'],
    ['an empty line', (content) => `\n${content}`, 'line 1'],
  ])('finds %s', async (_, change, where) => {
    const disk = await filled(3);
    const head = Buffer.from(await open(disk).head('user')).toString('hex');
    await edit(disk, change);
    if (where === '') {
      // Nothing follows the newest line: its edit shows only against a head that was kept elsewhere, in a grant or archive.
      expect((await open(disk).read('user')).at(-1)?.hash).not.toBe(head);
      return;
    }
    await expect(open(disk).read('user')).rejects.toMatchObject({
      code: 'HistoryBroken',
      details: { path: userFile, problem: expect.stringMatching(`^${where}: `) as string },
    });
  });

  describe('that grows', () => {
    const fullBytes = 1500;
    const grown = (disk: FailingDisk, pid = 1): History => {
      const processes = createTestProcesses().start(pid);
      const platformFile = '/var/private/history';
      return createHistory({ disk, processes, sha256, platformFile, userFile, fullBytes });
    };

    it('goes on in a new file, one chain, and drops the oldest of many', async () => {
      const disk = createFailingDisk();
      const history = grown(disk);
      let heads = 0;
      for (let number = 1; number <= 120; number++) {
        await history.append('user', event(number));
        const lines = await history.read('user');
        expect(lines.at(-1)?.facts.serial).toBe(String(number));
        if (lines[0]?.number !== 1) heads += 1;
      }
      const files = disk.files().filter((path) => /history(\.\d+)?$/.test(path));
      expect(files).toHaveLength(10);
      const sizes = await Promise.all(files.map(async (path) => (await disk.status(path))?.sizeBytes ?? 0));
      expect(Math.max(...sizes)).toBeLessThan(fullBytes + 1000);
      expect(heads).toBeGreaterThan(10);
      const lines = await grown(disk, 2).read('user');
      expect(Buffer.from(await history.head('user')).toString('hex')).toBe(lines.at(-1)?.hash);
      const turns = lines.filter(({ operation }) => operation === 'history-rotate');
      expect(Number(turns.at(-1)?.facts.begins)).toBe(lines[0]?.number);
    });

    it('is missed where somebody else takes a file away, the oldest or another', async () => {
      for (const at of [0, 2, 8]) {
        const disk = createFailingDisk();
        for (let number = 1; number <= 120; number++) await grown(disk).append('user', event(number));
        const put = disk.files().filter((path) => /history\.\d+$/.test(path));
        put.sort((a, b) => Number(a.split('.').at(-1)) - Number(b.split('.').at(-1)));
        await disk.remove(put[at] ?? '');
        await expect(grown(disk).read('user')).rejects.toMatchObject({ code: 'HistoryBroken' });
      }
    });

    it('keeps its chain through a loss of power at any point of a turn', async () => {
      const prepare = async (): Promise<{ disk: FailingDisk; last: number }> => {
        const disk = createFailingDisk();
        for (let number = 1; ; number++) {
          const size = (await disk.status(userFile))?.sizeBytes ?? 0;
          const turns = disk.files().filter((path) => /history\.\d+$/.test(path)).length;
          if (turns === 9 && size >= fullBytes) return { disk, last: number - 1 };
          await grown(disk).append('user', event(number));
        }
      };
      for (let at = 1; ; at++) {
        for (const survives of [true, false]) {
          const { disk, last } = await prepare();
          disk.losePowerAt(at, true);
          const outcome = await grown(disk)
            .append('user', event(last + 1))
            .then(
              () => 'done',
              (error: unknown) => {
                expect(error).toBeInstanceOf(PowerLost);
                return 'lost';
              },
            );
          const after = disk.restart(() => survives);
          const serial = (await grown(after, 2).read('user')).at(-1)?.facts.serial ?? `${last + 1}`;
          expect(outcome === 'done' ? [last + 1] : [last, last + 1]).toContain(Number(serial));
          await grown(after, 2).append('user', event(last + 2));
          expect((await grown(after, 3).read('user')).at(-1)?.facts.serial).toBe(`${last + 2}`);
          if (outcome === 'done' && !survives) return;
        }
      }
    });
  });

  it('says that a newer version wrote it', async () => {
    const disk = await filled(1);
    await edit(disk, (content) => content.replace('"v":1', '"v":2'));
    await expect(open(disk).read('user')).rejects.toMatchObject({ code: 'StoreNewer' });
    await expect(open(disk).append('user', event(2))).rejects.toMatchObject({ code: 'StoreNewer' });
  });

  it('keeps whole lines through every loss of power', async () => {
    for (let at = 1; ; at++) {
      const disk = await filled(2);
      disk.losePowerAt(at, true);
      const outcome = await open(disk)
        .append('user', event(3))
        .then(
          () => 'done',
          (error: unknown) => {
            expect(error).toBeInstanceOf(PowerLost);
            return 'lost';
          },
        );
      const after = disk.restart(() => true);
      const lines = await open(after, 2).read('user');
      expect(outcome === 'done' ? [3] : [2, 3]).toContain(lines.length);
      await open(after, 2).append('user', event(4));
      expect(await open(after, 2).read('user')).toHaveLength(lines.length + 1);
      if (outcome === 'done') return;
    }
  });

  it('writes the platform chain only where the platform was initialized', async () => {
    const disk = createFailingDisk();
    await expect(open(disk).append('platform', event(1))).rejects.toMatchObject({
      code: 'PlatformNotInitialized',
    });
    await disk.makeFolder('/var', 0o755);
    await disk.makeFolder('/var/private', 0o700);
    await open(disk).append('platform', event(1));
    expect(await open(disk).read('platform')).toHaveLength(1);
    expect(await open(disk).read('user')).toEqual([]);
  });
});
