/**
 * A program for Node for Windows: prints as JSON what the functions of Windows answer that the product asks about owners and
 * access lists, in the folder that it is given, and how Windows reads the lists that the product sets.
 */
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { toHex } from '../../../core/src/bytes/bytes.ts';
import {
  administratorsList,
  decodeSecurity,
  personsList,
} from '../../../core/src/adapters/system/security-descriptor.ts';
import { toWide } from '../../../core/src/adapters/system/windows.ts';
import { Cell } from '../../../core/src/adapters/system/windows-calls.ts';
import { windowsFiles } from '../../../core/src/adapters/system/windows-files.ts';
import { isSPMigrationError } from '../../../core/src/domain/error.ts';

const [, , folder = '', sid = ''] = process.argv;
const files = windowsFiles();
const at = (name: string): string => `${folder}\\${name}`;
const codeOf = (work: () => void): string => {
  try {
    work();
    return 'done';
  } catch (error) {
    return isSPMigrationError(error) ? error.code : String(error);
  }
};

/** The bytes that Windows makes of a list. */
function asWindowsReads(list: string): string {
  const ffi = process.getBuiltinModule('node:ffi');
  const { functions } = ffi.dlopen('advapi32.dll', {
    ConvertStringSecurityDescriptorToSecurityDescriptorW: {
      arguments: ['buffer', 'uint32', 'buffer', 'buffer'],
      return: 'int32',
    },
  });
  const [descriptor, size] = [new Cell(), new Cell()];
  const into = [1, descriptor.bytes, size.bytes] as const;
  const done = functions.ConvertStringSecurityDescriptorToSecurityDescriptorW(toWide(list), ...into);
  return done === 0 ? 'refused' : toHex(ffi.toBuffer(descriptor.u64, size.u32));
}

mkdirSync(at('folder'));
writeFileSync(at('file'), 'content');
const open = openSync(at('file'), 'r');
const ofOpen = files.descriptorOfOpen(open);
closeSync(open);
const list = administratorsList('folder', 0o755);
const answers = {
  folder: decodeSecurity(files.descriptorOf(at('folder'))),
  file: decodeSecurity(files.descriptorOf(at('file'))),
  ofOpen: decodeSecurity(ofOpen),
  missing: codeOf(() => files.descriptorOf(at('missing'))),
  made: [
    codeOf(() => {
      files.makeFolder(at('made'), list);
    }),
    codeOf(() => {
      files.makeFile(at('made.file'), personsList(sid));
    }),
  ],
  again: [
    codeOf(() => {
      files.makeFolder(at('made'), list);
    }),
    codeOf(() => {
      files.makeFile(at('made.file'), personsList(sid));
    }),
  ],
  below: [
    codeOf(() => {
      files.makeFolder(at('missing\\folder'), list);
    }),
    codeOf(() => {
      files.makeFile(at('missing\\file'), list);
    }),
  ],
  set: codeOf(() => {
    files.setDescriptor(at('made'), list);
  }),
  nonsense: codeOf(() => {
    files.setDescriptor(at('made'), 'O:BAD:P(A;;nonsense)');
  }),
  read: [
    ...[0o755, 0o700, 0o1733].map((mode) => administratorsList('folder', mode)),
    ...[0o644, 0o600].map((mode) => administratorsList('file', mode)),
    personsList(sid),
  ].map((text) => [text, asWindowsReads(text)]),
};
process.stdout.write(`${JSON.stringify(answers)}\n`);
