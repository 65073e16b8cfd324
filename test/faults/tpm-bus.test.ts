/**
 * Trouble between this program and a TPM, at each command of an export and of an import: a TPM that is busy, full, broken or
 * reset, a system that blocks commands, a wire-tapper who changes answers. Each has its code and changes nothing on the computer;
 * whatever was loaded is taken out again, unless just that was kept from us; and the next try goes through.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TransportError } from '../../core/src/adapters/chip-tpm2/transport/transport.ts';
import type { ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import type { CommandName } from '../../core/src/tpm2/constants.ts';
import { fillSessions, fillSlots, hasSwtpm, recording, useUserKey, type Exchange } from '../testkit/swtpm.ts';
import {
  ask,
  asking,
  copyField,
  makeField,
  reachBy,
  removeField,
  type Asked,
  type Field,
} from '../testkit/tpm-field.ts';
import {
  changedCommand,
  intercepted,
  leftOnBus,
  resetBefore,
  responseWith,
  type Interception,
} from '../testkit/tpm-transports.ts';
import { refused } from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

/** 20 ms, doubling up to 1 s, 32 tries (docs/spec/chip.md). */
const longestWaits = [20, 40, 80, 160, 320, 640, ...Array.from({ length: 25 }, () => 1_000)];

describe.skipIf(!hasSwtpm())('on the way to a TPM', () => {
  let made: Field;
  beforeAll(async () => {
    made = await makeField();
  });
  afterAll(() => removeField(made));

  const sequences = new Map<string, readonly CommandName[]>();
  /** The commands of an export or an import. */
  async function sequenceOf(operation: 'export' | 'import'): Promise<readonly CommandName[]> {
    const known = sequences.get(operation);
    if (known !== undefined) return known;
    const { asked } = await prepared(operation);
    const names: CommandName[] = [];
    const listening: Interception = ({ name, send }) => {
      names.push(name);
      return send();
    };
    reachBy(asked.of, intercepted(asked.of.tpm.open, listening));
    await ask(asked);
    sequences.set(operation, names);
    return names;
  }

  async function prepared(operation: 'export' | 'import'): Promise<{ field: Field; asked: Asked }> {
    const field = await copyField(made, operation === 'export' ? 'a' : 'b');
    const asked = asking(field, operation);
    // A TPM asks for its first use of a user's key after a start to be repeated, which would count.
    await useUserKey(asked.of.tpm);
    return { field, asked };
  }

  /**
   * Does something to each command in turn; what it does must be refused, with this code, and leave nothing loaded. Not to those
   * at the end that only take out what is loaded: what that was for is done then.
   */
  async function expectRefusedAtEach(
    operation: 'export' | 'import',
    interfere: (at: number) => Interception,
    expected: (name: CommandName) => ErrorCode | undefined,
    leaves: (name: CommandName) => boolean = () => false,
  ): Promise<void> {
    const { field, asked } = await prepared(operation);
    const { tpm } = asked.of;
    const sequence = await sequenceOf(operation);
    const end = sequence.findLastIndex((name) => name !== 'FlushContext');
    for (const [index, name] of sequence.slice(0, end + 1).entries()) {
      const code = expected(name);
      if (code === undefined) continue;
      const bus: Exchange[] = [];
      reachBy(asked.of, intercepted(recording(tpm.open, bus), interfere(index + 1)));
      try {
        await refused(field, code, () => ask(asked));
        if (leaves(name)) {
          await tpm.powerCycle();
          await useUserKey(tpm);
        } else expect([leftOnBus(bus), await tpm.leftLoaded()]).toEqual([[], []]);
      } catch (error) {
        throw new Error(`${operation}, command ${index + 1}: ${name}`, { cause: error });
      }
    }
    reachBy(asked.of, tpm.open);
    await ask(asked);
    expect(await tpm.leftLoaded()).toEqual([]);
  }

  const both = ['export', 'import'] as const;

  describe('a TPM that is busy', () => {
    it.each(both)('is asked again, at each command of an %s', async (operation) => {
      const { asked } = await prepared(operation);
      const later = [0x922, 0x908, 0x90a, 0x920];
      let [tries, sent] = [0, 0];
      const waits = reachBy(
        asked.of,
        intercepted(asked.of.tpm.open, ({ send }) => {
          const responseCode = later[tries];
          tries = (tries + 1) % 5;
          if (responseCode !== undefined) return responseWith(responseCode);
          sent += 1;
          return send();
        }),
      );
      await ask(asked);
      expect(sent).toBe((await sequenceOf(operation)).length);
      expect(waits).toEqual(Array.from({ length: 4 * sent }, (_, n) => [20, 40, 80, 160][n % 4]));
      expect(await asked.of.tpm.leftLoaded()).toEqual([]);
    });

    it.each(both)('for ever is ChipBusy, at each command of an %s', async (operation) => {
      await expectRefusedAtEach(
        operation,
        (at) => {
          let stuck = false;
          return ({ number, name, send }) => {
            stuck ||= number === at;
            // What is loaded can still be taken out.
            return stuck && (number === at || name !== 'FlushContext') ? responseWith(0x922) : send();
          };
        },
        () => 'ChipBusy',
        (name) => name === 'FlushContext',
      );
    });

    it('waits longer and longer, half a minute in all', async () => {
      const { field, asked } = await prepared('export');
      const waits = reachBy(
        asked.of,
        intercepted(asked.of.tpm.open, () => responseWith(0x90a)),
      );
      const error = await refused(field, 'ChipBusy', () => ask(asked));
      expect(error.message).toContain('asks again and again to be asked later');
      expect(waits).toEqual(longestWaits);
    });
  });

  describe('a TPM whose slots others have filled', () => {
    it.each([
      ['objects', fillSlots],
      ['sessions', fillSessions],
    ] as const)('with %s is emptied, where nobody else can use it', async (_, fill) => {
      for (const operation of both) {
        const { asked } = await prepared(operation);
        await fill(asked.of.tpm);
        expect((await asked.of.tpm.leftLoaded()).length).toBeGreaterThanOrEqual(3);
        await ask(asked);
        expect(await asked.of.tpm.leftLoaded()).toEqual([]);
      }
    });

    it.each([
      ['objects', fillSlots],
      ['sessions', fillSessions],
    ] as const)('with %s is ChipBusy where they may be in use', async (_, fill) => {
      for (const operation of both) {
        const { field, asked } = await prepared(operation);
        await fill(asked.of.tpm);
        const left = await asked.of.tpm.leftLoaded();
        reachBy(
          asked.of,
          intercepted(asked.of.tpm.open, ({ send }) => send(), { exclusive: false }),
        );
        const error = await refused(field, 'ChipBusy', () => ask(asked));
        expect(error.message).toContain('full of objects of other programs');
        expect(await asked.of.tpm.leftLoaded()).toEqual(left);
      }
    });
  });

  describe('somebody who changes answers', () => {
    it.each(both)('is found out by their HMAC, at each command of an %s', async (operation) => {
      await expectRefusedAtEach(
        operation,
        (at) =>
          async ({ number, send }) => {
            const response = await send();
            return number === at ? flippedLast(response) : response;
          },
        (name) => (hasHmac.includes(name) ? 'ChipFailed' : undefined),
      );
    });

    it.each(both)('cannot pass another storage key off as this one, at an %s', async (operation) => {
      await expectRefusedAtEach(
        operation,
        () =>
          async ({ name, send }) =>
            name === 'ReadPublic' ? flippedInside(await send()) : send(),
        (name) => (name === 'ReadPublic' ? 'StorageKeyChanged' : undefined),
      );
    });

    it.each(both)('cannot cut them off, at each command of an %s', async (operation) => {
      await expectRefusedAtEach(
        operation,
        (at) =>
          async ({ number, send }) => {
            const response = await send();
            return number === at ? cut(response, at % 2 === 0) : response;
          },
        // A response of ten bytes has nothing that could be cut off.
        (name) => (empty.includes(name) ? undefined : 'ChipFailed'),
      );
    });

    it.each(both)(
      'cannot change what is asked, at each command of an %s that is authorized',
      async (operation) => {
        const { field, asked } = await prepared(operation);
        const { tpm } = asked.of;
        const sequence = await sequenceOf(operation);
        for (const [index, name] of sequence.entries()) {
          if (!hasHmac.includes(name)) continue;
          reachBy(asked.of, changedCommand(tpm.open, index + 1));
          // It is authorized by nobody: not by the storage key's HMAC (Load and Import below it), nor by the user's.
          const belowStorageKey = name === 'Import' || (name === 'Load' && sequence[index - 1] !== 'Load');
          await refused(field, belowStorageKey ? 'ChipFailed' : 'PasswordRejected', () => ask(asked));
          expect([name, await tpm.leftLoaded()]).toEqual([name, []]);
        }
        reachBy(asked.of, tpm.open);
        await ask(asked);
      },
    );
  });

  describe('a TPM in failure mode', () => {
    it.each(both)('is ChipFailed, from each command of an %s on', async (operation) => {
      await expectRefusedAtEach(
        operation,
        (at) =>
          ({ number, send }) =>
            number >= at ? responseWith(0x101) : send(),
        () => 'ChipFailed',
        () => true,
      );
    });
  });

  describe('a TPM that refuses what nobody’s blob, password or grant decides about', () => {
    it.each(both)('is ChipFailed, at each such command of an %s', async (operation) => {
      await expectRefusedAtEach(
        operation,
        (at) =>
          ({ number, send }) =>
            number === at ? responseWith(0x155) : send(),
        (name) => (['ReadPublic', 'StartAuthSession'].includes(name) ? 'ChipFailed' : undefined),
      );
    });
  });

  describe('a system that blocks commands', () => {
    it.each(both)('is ChipCommandBlocked, for each command of an %s', async (operation) => {
      const blocked = new Set<CommandName>();
      const sequence = await sequenceOf(operation);
      await expectRefusedAtEach(
        operation,
        (at) => {
          const name = sequence[at - 1];
          return (sent) => {
            if (sent.name === name) throw new TransportError('blocked', 'TPM Base Services');
            return sent.send();
          };
        },
        (name) => {
          if (blocked.has(name)) return undefined;
          blocked.add(name);
          return 'ChipCommandBlocked';
        },
        (name) => name === 'FlushContext',
      );
      const { field, asked } = await prepared(operation);
      reachBy(
        asked.of,
        intercepted(asked.of.tpm.open, ({ name, send }) => {
          if (name === 'Load') throw new TransportError('blocked', 'TPM Base Services');
          return send();
        }),
      );
      const error = await refused(field, 'ChipCommandBlocked', () => ask(asked));
      expect(error.message).toContain('TPM2_Load');
    });
  });

  describe('a TPM that is reset while it is used', () => {
    it.each(both)(
      'is ChipLost, before each command of an %s that needs what is loaded',
      async (operation) => {
        const { field, asked } = await prepared(operation);
        const { tpm } = asked.of;
        const sequence = await sequenceOf(operation);
        for (const at of withSomethingLoaded(sequence)) {
          await useUserKey(tpm);
          reachBy(
            asked.of,
            resetBefore(tpm.open, at, () => tpm.powerCycle()),
          );
          const error = await refused(field, 'ChipLost', () => ask(asked));
          expect(error.message).toContain('it was reset while it was used');
          expect(await tpm.leftLoaded()).toEqual([]);
        }
        reachBy(asked.of, tpm.open);
        await ask(asked);
      },
    );
  });
});

/** Before which commands something is loaded that is still of use. Numbers from 1. */
function withSomethingLoaded(sequence: readonly CommandName[]): readonly number[] {
  const loading: readonly CommandName[] = ['StartAuthSession', 'Load', 'LoadExternal'];
  let loaded = 0;
  const numbers: number[] = [];
  for (const [index, name] of sequence.entries()) {
    const rest = sequence.slice(index);
    const others = rest.findIndex((one) => one !== 'FlushContext');
    // Flushes with which a connection is closed: what it was opened for is done.
    const closing = others === -1 || others === loaded;
    if (loaded > 0 && !(name === 'FlushContext' && closing)) numbers.push(index + 1);
    if (loading.includes(name)) loaded += 1;
    else if (name === 'FlushContext') loaded -= 1;
  }
  return numbers;
}

/** Commands that are authorized, so that their answers are, too. */
const hasHmac: readonly CommandName[] = ['Load', 'Unseal', 'Import', 'Duplicate'];
const empty: readonly CommandName[] = [
  'FlushContext',
  'PolicyDuplicationSelect',
  'PolicyAuthorize',
  'PolicyOR',
  'PolicyAuthValue',
];

function flippedLast(bytes: Uint8Array): Uint8Array {
  return bytes.with(-1, (bytes.at(-1) ?? 0) ^ 1);
}

/** Another last byte of the public area in the answer to ReadPublic. */
function flippedInside(response: Uint8Array): Uint8Array {
  const last = 11 + new DataView(response.buffer, response.byteOffset).getUint16(10);
  return response.with(last, (response.at(last) ?? 0) ^ 1);
}

/** Without its last byte; `tellsLength`: and with a header that says so. */
function cut(response: Uint8Array, tellsLength: boolean): Uint8Array {
  const shorter = response.slice(0, -1);
  if (tellsLength) new DataView(shorter.buffer).setUint32(2, shorter.length);
  return shorter;
}
