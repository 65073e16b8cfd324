/**
 * The byte order mark before a conversation: where the code page of the console is 65001, Windows PowerShell 5.1 writes one to the
 * standard input of every program that it starts, before the module can (docs/spec/process-protocol.md, "stdin").
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Conversation, type WireRecord } from '../testkit/conversation.ts';
import { builtExecutable } from '../testkit/executable.ts';
import { pathThere } from '../testkit/windows/lane.ts';

const mark = Uint8Array.of(0xef, 0xbb, 0xbf);
const request = (id: number): string => `${JSON.stringify({ v: 1, id, cmd: 'status', params: {} })}\n`;

describe('a byte order mark', () => {
  let executable: string;
  let home: string;
  beforeAll(async () => {
    executable = await builtExecutable();
    home = await mkdtemp(join(tmpdir(), 'spmigration-bom-'));
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  /** What is answered to these pieces, which are written one after the other. */
  async function say(...pieces: readonly (string | Uint8Array)[]): Promise<readonly WireRecord[]> {
    const conversation = new Conversation(executable, { SPMIGRATION_HOME: pathThere(home) });
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await delay(50);
      conversation.write(piece);
    }
    const { stderr, records } = await conversation.end();
    expect(stderr).toBe('');
    return records;
  }
  const kinds = (records: readonly WireRecord[]): readonly string[] =>
    records.map(({ t, id, code }) => [t, id, code].filter((one) => one !== undefined).join(' '));

  it.each([
    ['in one piece with the request', [Buffer.concat([mark, Buffer.from(request(1))])]],
    ['long before it', [mark, request(1)]],
    ['in two pieces', [mark.subarray(0, 1), mark.subarray(1), request(1)]],
  ])('is skipped %s', async (_, pieces) => {
    expect(kinds(await say(...pieces))).toEqual(['hello', 'result 1', 'end 1']);
  });

  it('alone is no request', async () => {
    expect(kinds(await say(mark))).toEqual(['hello']);
  });

  it.each([
    ['twice', [mark, mark, request(1)]],
    ['between two requests', [request(1), mark, request(2)]],
  ])('is refused %s', async (_, pieces) => {
    expect(kinds(await say(...pieces)).slice(-2)).toEqual(['error 0 RequestMalformed', 'end 0']);
  });
});
