/** The TPM 2.0 chip on swtpm: the contract of the port, which the software chip meets as well. */
import { describe } from 'vitest';
import { hasSwtpm, Swtpm } from '../testkit/swtpm.ts';
import { describeChip } from './chip.ts';

describe.skipIf(!hasSwtpm())('on swtpm', () => {
  describeChip('TPM 2.0', async () => {
    const tpm = await Swtpm.start();
    return { chip: tpm.chip(), reopen: () => tpm.chip(), close: () => tpm.stop() };
  });
});
