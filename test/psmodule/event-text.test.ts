/**
 * Names of other people in events for the event log of Windows (docs/spec/event-log.md, "Strings"): no name makes a line or a
 * placeholder of its own, and no event is larger than Windows takes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventProperties } from '../../psmodule/schema/events.ts';
import { LOG_DOUBLES, access, change, grant, type WrittenEvent } from '../testkit/event-log.ts';
import { failure, makeFakeModule, plan, type FakeModule } from '../testkit/fake-module.ts';
import { openSession, type PowerShellSession } from '../testkit/powershell-session.ts';
import { havePowerShell } from '../testkit/powershell.ts';

describe.skipIf(!havePowerShell())('an event', { timeout: 120_000 }, () => {
  let fake: FakeModule;
  let session: PowerShellSession;

  beforeAll(async () => {
    fake = await makeFakeModule();
    session = await openSession({ env: { SPMIGRATION_HOME: undefined } });
    expect((await session.invoke(LOG_DOUBLES, fake.manifest)).errors).toEqual([]);
  });
  afterAll(async () => {
    await session.close();
    fake.remove();
  });

  const written = async (): Promise<readonly WrittenEvent[]> =>
    (await session.invoke<WrittenEvent>('Get-Log written')).output;
  const line = async (text: string, limit?: number): Promise<string | undefined> => {
    const { output, errors } = await session.invoke<string>(
      `& (Get-Module SPMigration) { ConvertTo-SPEventText -Text $args[0].text ${limit === undefined ? '' : `-Limit ${String(limit)}`} } $data`,
      { text },
    );
    expect(errors).toEqual([]);
    return output[0];
  };

  it.each([
    [
      'line ends',
      'PC-B\r\nAccount: root\u2028x\u2029y\u0085z',
      'PC-B\ufffd\ufffdAccount: root\ufffdx\ufffdy\ufffdz',
    ],
    ['other control characters', 'a\u0000b\tc\u001bd\u007f', 'a\ufffdb\ufffdc\ufffdd\ufffd'],
    ['marks that turn the direction', 'a\u202eb\u2066c\u200fd', 'a\ufffdb\ufffdc\ufffdd'],
    ['placeholders of messages', '%1 %%2 100%', '\uff051 \uff05\uff052 100%'],
    ['letters beyond ASCII', 'Jörg Ünïcode 日本 😀', 'Jörg Ünïcode 日本 😀'],
  ])('has a name in one line: %s', async (_, text, expected) => {
    expect(await line(text)).toBe(expected);
  });

  it('has of a long name only a part, and no letter halved', async () => {
    expect(await line('x'.repeat(501))).toBe(`${'x'.repeat(500)}...`);
    expect(await line('ab😀', 3)).toBe('ab\ufffd...');
  });

  it('has no more lines than it says, whatever a name is', async () => {
    const forged = 'PC-B\r\nAccount: CONTOSO\\admin';
    const planned = plan('p1', { action: 'Grant access', target: forged });
    fake.script(change('access-grant', access({ destination: forged }), planned));
    await session.invoke(`Set-Log @{ written = @() }; $null = ${grant}`);
    const [event] = await written();
    expect(event?.text[0]?.split(/[\r\n]+/)).toEqual([
      'Grant access: PC-B\ufffd\ufffdAccount: CONTOSO\\admin',
      'Operation: access-grant, by Grant-SPMigrationAccess',
      String.raw`Account: CONTOSO\anna, S-1-5-21-1-2-3-1001`,
      ...(event?.text.slice(8) ?? []),
    ]);
    expect(event?.text[9]).toBe('Destination: PC-B\ufffd\ufffdAccount: CONTOSO\\admin');
  });

  it('stays below what Windows takes', async () => {
    const long = (field: string): string => `${field} ${'日'.repeat(40_000)}`;
    const everything = Object.fromEntries(
      eventProperties.map((name) => [`${name.charAt(0).toLowerCase()}${name.slice(1)}`, long(name)]),
    );
    const planned = plan('p1', { action: long('action'), target: long('target') });
    fake.script(change('access-grant', access({ ...everything, basicUserKey: [long('key')] }), planned));
    await session.invoke(`Set-Log @{ written = @() }; $null = ${grant}`);
    fake.script(change('access-grant', failure('X', 'WriteError', { message: long('message') }), planned));
    await session.invoke(`$null = ${grant} 2>$null`);
    const events = await written();
    expect(events.map(({ number }) => number)).toEqual([1020, 2020]);
    for (const { text } of events) {
      for (const one of text) expect(one.length).toBeLessThan(31_839);
      // Bytes of all strings with their ends; the limit of a whole record is 61,440.
      expect(text.reduce((sum, one) => sum + 2 * (one.length + 1), 0)).toBeLessThan(60_000);
    }
  });
});
