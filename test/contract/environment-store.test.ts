/** The contract of environment stores over the file store: on the disk of this machine, and on one in memory. */
import { join } from 'node:path';
import { createEnvironmentStore } from '../../core/src/adapters/store-file/environment-store.ts';
import { createFileSystem } from '../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../core/src/adapters/system/processes.ts';
import { createFailingDisk } from '../testkit/failing-disk.ts';
import { createTestProcesses } from '../testkit/surroundings.ts';
import { makeTemporaryFolder } from '../testkit/temporary-folder.ts';
import { environmentStoreContract, platformId, storageKey } from './environment-store.ts';

const common = { platform: platformId, lockWaitMilliseconds: 60 };

environmentStoreContract('files', async () => {
  const folder = join(await makeTemporaryFolder(), 'data', platformId);
  const disk = createFileSystem(process.platform);
  const processes = createProcesses(process.platform);
  return {
    open: (key = storageKey) =>
      createEnvironmentStore({ disk, processes, folder, storageKey: key, ...common }),
  };
});

environmentStoreContract('files in memory', () => {
  const disk = createFailingDisk();
  const processes = createTestProcesses().start(100);
  return Promise.resolve({
    open: (key = storageKey) =>
      createEnvironmentStore({ disk, processes, folder: '/data/store', storageKey: key, ...common }),
  });
});
