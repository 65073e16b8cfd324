/** The TPM 2.0 chip on swtpm: the contract of the port, which the software chip meets as well. */
import { describe } from 'vitest';
import { storageKeyHandle } from '../../core/src/adapters/chip-tpm2/shared-tpm.ts';
import type { Chip } from '../../core/src/ports/chip.ts';
import { hasSwtpm, Swtpm } from '../testkit/swtpm.ts';
import { describeChip } from './chip.ts';

describe.skipIf(!hasSwtpm())('on swtpm', () => {
  describeChip('TPM 2.0', async () => {
    const tpm = await Swtpm.start();
    return { chip: tpm.chip(), reopen: () => tpm.chip(), close: () => tpm.stop() };
  });

  // As most TPMs come: the storage key was made by somebody else, once the platform is set up.
  describeChip('TPM 2.0 with an RSA storage key', async () => {
    const tpm = await Swtpm.start();
    const chip = tpm.chip();
    const provision = async (): Promise<Uint8Array> => {
      if ((await tpm.handles(storageKeyHandle)).length === 0) await tpm.makeStorageKey('RSA');
      return await chip.provision();
    };
    const withRsaKey: Chip = {
      provision,
      describe: () => chip.describe(),
      storageKey: () => chip.storageKey(),
      endorsement: () => chip.endorsement(),
      activateCredential: (credential) => chip.activateCredential(credential),
      createBasicUserKey: (policy, auth) => chip.createBasicUserKey(policy, auth),
      importBasicUserKey: (area, handedOver, key) => chip.importBasicUserKey(area, handedOver, key),
      loadBasicUserKey: (blob, auth) => chip.loadBasicUserKey(blob, auth),
    };
    return { chip: withRsaKey, reopen: () => tpm.chip(), close: () => tpm.stop() };
  });
});
