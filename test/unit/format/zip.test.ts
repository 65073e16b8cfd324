/** The archive's container: what is written, that it reads back, and every trick that must be refused. */
import { describe, expect, test } from 'vitest';
import { concat, utf8 } from '../../../core/src/bytes/bytes.ts';
import { createZipContainer } from '../../../core/src/adapters/zip/container.ts';
import { archiveEntries } from '../../../core/src/domain/archive.ts';
import { isSPMigrationError } from '../../../core/src/domain/error.ts';
import { checkZipStructure, maximumArchiveBytes } from '../../../core/src/format/zip-structure.ts';
import { fixedBytes, sampleParts } from '../../testkit/format-samples.ts';
import { writeZip, zipEntriesOf, type ZipTricks } from '../../testkit/zip-writer.ts';

const container = createZipContainer();

async function refusal(bytes: Uint8Array): Promise<string> {
  try {
    await container.unpack(bytes, 'x.sparc');
  } catch (error) {
    if (isSPMigrationError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('it was accepted');
}

const entries = zipEntriesOf(sampleParts);
const good = writeZip(entries);
const at = (index: number, change: object): typeof entries =>
  entries.map((entry, i) => (i === index ? { ...entry, ...change } : entry));

test('archiver writes exactly the canonical form', async () => {
  expect(await container.pack(sampleParts)).toEqual(good);
});

test('reads back what it wrote, with one byte entries too', async () => {
  expect(await container.unpack(await container.pack(sampleParts), 'x')).toEqual(sampleParts);
  const small = { ...sampleParts, sums: Uint8Array.of(1), environment: Uint8Array.of(2) };
  expect(await container.unpack(await container.pack(small), 'x')).toEqual(small);
});

test('reads a large environment', async () => {
  const large = { ...sampleParts, environment: fixedBytes(5_000_000, 1) };
  const read = await container.unpack(await container.pack(large), 'x');
  expect(Buffer.compare(read.environment, large.environment)).toBe(0);
});

test('an entry whose bytes look like ZIP records is content', async () => {
  const nested = { ...sampleParts, environment: good, sums: good.slice(-150) };
  expect(await container.unpack(await container.pack(nested), 'x')).toEqual(nested);
});

test('does not write empty or oversized entries', async () => {
  await expect(container.pack({ ...sampleParts, sums: new Uint8Array() })).rejects.toThrow(RangeError);
  await expect(container.pack({ ...sampleParts, sums: new Uint8Array(1025) })).rejects.toThrow(
    /the entry sums/,
  );
});

describe('refuses', () => {
  test.each<[string, typeof entries, ZipTricks, string]>([
    [
      'an extra entry at the end',
      [...entries, { name: 'more', data: fixedBytes(9, 9) }],
      {},
      'ArchiveMalformed: x.sparc is not an archive as SPMigration writes it: there is an entry after the last one',
    ],
    [
      'an extra entry in between',
      entries.toSpliced(3, 0, { name: '../../etc/passwd', data: fixedBytes(9, 9) }),
      {},
      'there is an entry "../../etc/passwd" in place of buk.duplicate',
    ],
    ['a missing entry', entries.toSpliced(8, 1), {}, 'the entry sums is missing'],
    [
      'a missing entry in between',
      entries.toSpliced(4, 1),
      {},
      'there is an entry "vault-key.public" in place of buk.seed',
    ],
    [
      'a repeated entry',
      entries.toSpliced(1, 0, ...entries.slice(0, 1)),
      {},
      'there is an entry "manifest" in place of grants',
    ],
    [
      'swapped entries',
      [...entries.slice(0, 2), ...entries.slice(3, 4), ...entries.slice(2, 3), ...entries.slice(4)],
      {},
      'there is an entry "buk.duplicate" in place of buk.public',
    ],
    [
      'a name with unprintable bytes',
      at(1, { name: '\u001b[2J\u0000' }),
      {},
      'there is an entry "?[2J?" in place of grants',
    ],
    ['capitals', at(1, { name: 'Grants' }), {}, 'there is an entry "Grants"'],
    ['a compressed entry', at(7, { method: 8 }), {}, 'the entry environment is compressed'],
    ['an encrypted entry', at(7, { flags: 1 }), {}, 'the entry environment is encrypted'],
    ['a data descriptor', at(7, { flags: 8 }), {}, 'the entry environment has its size behind its data'],
    ['the UTF-8 flag', at(7, { flags: 0x800 }), {}, 'the entry environment has unknown flags'],
    ['two sizes', at(7, { compressedSize: 4095 }), {}, 'the entry environment has two different sizes'],
    ['an extra field', at(7, { extra: fixedBytes(8, 1) }), {}, 'the entry environment has extra fields'],
    ['another time', at(7, { date: 0x0022 }), {}, 'the entry environment has another version or time'],
    ['an empty entry', at(8, { data: new Uint8Array() }), {}, 'the entry sums is empty'],
    [
      'an oversized entry',
      at(8, { data: fixedBytes(1025, 1) }),
      {},
      'LimitExceeded: the entry sums of x.sparc is larger than allowed: 1025, at most 1024.',
    ],
    ['sizes of zip64', at(8, { size: 0xffffffff, compressedSize: 0xffffffff }), {}, 'LimitExceeded'],
    [
      'overlapping entries',
      at(6, { size: 300, compressedSize: 300 }),
      {},
      'there is something else than the entry environment',
    ],
    ['a gap between entries', at(7, { gap: 3 }), {}, 'there is something else than the entry environment'],
    [
      'something before the directory',
      entries,
      { beforeDirectory: fixedBytes(5, 1) },
      'there is something between the last entry and the central directory',
    ],
    [
      'another name in the directory',
      entries,
      { central: (index, record) => (index === 1 ? { ...record, name: 'grantz' } : record) },
      'its central directory does not agree with its entries',
    ],
    [
      'another size in the directory',
      entries,
      {
        central: (index, record) => (index === 7 ? { ...record, size: 5000, compressedSize: 5000 } : record),
      },
      'its central directory does not agree with its entries',
    ],
    [
      'another offset in the directory',
      entries,
      { central: (index, record) => (index === 7 ? { ...record, offset: 0 } : record) },
      'its central directory does not agree with its entries',
    ],
    [
      'another CRC in the directory',
      entries,
      { central: (index, record) => (index === 7 ? { ...record, crc: 1 } : record) },
      'its central directory does not agree with its entries',
    ],
    [
      'fewer entries in the directory',
      entries,
      { centralCount: 8 },
      'its central directory does not agree with its entries',
    ],
    [
      'a comment on an entry',
      entries,
      { central: (index, record) => (index === 7 ? { ...record, comment: utf8('hello') } : record) },
      'its central directory does not agree with its entries',
    ],
    ['a comment', entries, { comment: utf8('hello') }, 'its end record does not agree with its entries'],
    ['another number of entries', entries, { count: 8 }, 'its end record does not agree with its entries'],
    ['a second disk', entries, { disk: 1 }, 'its end record does not agree with its entries'],
    [
      'another directory offset',
      entries,
      { directoryOffset: 0 },
      'its end record does not agree with its entries',
    ],
    ['something after the end', entries, { after: Uint8Array.of(0) }, 'something follows after its end'],
    [
      'a wrong CRC',
      at(7, { crc: 1 }),
      {},
      'ArchiveDamaged: x.sparc is damaged: the entry environment has changed',
    ],
    [
      'several wrong CRCs, all named',
      at(7, { crc: 1 }).map((entry, index) => (index === 1 ? { ...entry, crc: 1 } : entry)),
      {},
      'ArchiveDamaged: x.sparc is damaged: the entries grants, environment have changed',
    ],
  ])('%s', async (_, list, tricks, message) => {
    const text = await refusal(writeZip(list, tricks));
    expect(text).toContain(message);
    expect(text).toMatch(/^(ArchiveMalformed|ArchiveDamaged|LimitExceeded): /);
  });

  test('something before its start, and other files', async () => {
    expect(await refusal(concat(Uint8Array.of(0), good))).toBe(
      'WrongFileKind: x.sparc is a file of an unknown kind; an archive is needed.',
    );
    expect(await refusal(writeZip([{ name: 'word/document.xml', data: Uint8Array.of(1) }]))).toMatch(
      /^WrongFileKind: x.sparc is a ZIP file that is not an archive/,
    );
    expect(await refusal(concat(Uint8Array.of(0xef, 0xbb, 0xbf), good))).toMatch(/^FileMangled/);
  });

  test('a file that is larger than any archive, without reading it', () => {
    const large = new Uint8Array(maximumArchiveBytes + 1);
    large.set(good);
    expect(() => checkZipStructure(large, 'x')).toThrow(/^x is larger than allowed/);
  });

  test('every truncation as damage with the number of bytes', () => {
    for (let length = 38; length < good.length; length++) {
      try {
        checkZipStructure(good.subarray(0, length), 'x');
      } catch (error) {
        expect(error).toMatchObject({
          code: 'ArchiveDamaged',
          message: `x is damaged: it is cut off after ${String(length)} bytes`,
        });
        continue;
      }
      throw new Error(`accepted ${String(length)} bytes`);
    }
  });
});

test('the structure check answers where each entry lies', () => {
  for (const { name, offset, sizeBytes } of checkZipStructure(good, 'x')) {
    expect(good.subarray(offset, offset + sizeBytes)).toEqual(sampleParts[name]);
  }
  expect(checkZipStructure(good, 'x').map(({ name }) => name)).toEqual([...archiveEntries]);
});
