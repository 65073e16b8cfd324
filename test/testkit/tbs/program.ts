/** A program for an executable of its own: asks the TPM behind the library that its argument names for 8 random bytes. */
import { openTbs } from '../../../core/src/adapters/chip-tpm2/transport/tbs.ts';

async function main(library: string | undefined): Promise<void> {
  const transport = await openTbs(library);
  const response = await transport.send(Uint8Array.of(0x80, 1, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8), 10_000);
  process.stdout.write(`${response.length}\n`);
}

// The transport stays open: it is not what keeps a program alive.
void main(process.argv[2]).catch((error: unknown) => {
  process.stdout.write(`${String(error)}\n`);
  process.exitCode = 1;
});
