/**
 * A character device whose other end a test holds, without a driver: a pseudo-terminal in raw mode (pty(7)). It stands in
 * for /dev/tpmrm0 as far as opening, O_NONBLOCK, reading, writing and vanishing go. It does not have that driver's own
 * ways: a read there waits in the kernel, answers 0 bytes before the command is taken up, and gives whole responses only.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { ReadStream } from 'node:tty';
import { onTestFinished } from 'vitest';

export interface PseudoTerminal {
  /** The device, e.g. `/dev/pts/3`. */
  readonly path: string;
  /** Takes the device away, as if it were pulled out. */
  vanish(): void;
}

/** Makes one, ended with the test. `answer` gets what is written to the device, and sends by `reply`. */
export async function makePseudoTerminal(
  answer: (command: Uint8Array, reply: (bytes: Uint8Array) => void) => void,
): Promise<PseudoTerminal> {
  const file = await open('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  const path = makeRaw(file.fd);
  const stream = new ReadStream(file.fd);
  const reply = (bytes: Uint8Array): void => {
    void file.write(bytes);
  };
  stream.on('data', (command: Buffer) => {
    answer(new Uint8Array(command), reply);
  });
  // EIO: nobody has the device open any more.
  stream.on('error', () => undefined);
  const vanish = (): void => {
    stream.destroy();
  };
  onTestFinished(async () => {
    vanish();
    // The stream has closed the descriptor by its number.
    await file.close().catch(() => undefined);
  });
  return { path, vanish };
}

/** Unlocks the device of a new pseudo-terminal, so that bytes go through it as they are, and answers its path. */
function makeRaw(fd: number): string {
  const { emitWarning } = process;
  // One warning that node:ffi is experimental, of no use in a report of tests.
  process.emitWarning = () => undefined;
  try {
    const { functions } = process.getBuiltinModule('node:ffi').dlopen(null, {
      unlockpt: { arguments: ['int32'], return: 'int32' },
      ptsname_r: { arguments: ['int32', 'buffer', 'uint64'], return: 'int32' },
      tcgetattr: { arguments: ['int32', 'buffer'], return: 'int32' },
      cfmakeraw: { arguments: ['buffer'], return: 'void' },
      tcsetattr: { arguments: ['int32', 'int32', 'buffer'], return: 'int32' },
    });
    const name = new Uint8Array(64);
    // More than a struct termios has.
    const settings = new Uint8Array(256);
    const failed =
      functions.unlockpt(fd) ||
      functions.ptsname_r(fd, name, BigInt(name.length)) ||
      functions.tcgetattr(fd, settings);
    functions.cfmakeraw(settings);
    if (failed !== 0 || functions.tcsetattr(fd, 0, settings) !== 0) throw new Error('no pseudo-terminal');
    return Buffer.from(name).toString().replace(/\0.*$/, '');
  } finally {
    process.emitWarning = emitWarning;
  }
}
