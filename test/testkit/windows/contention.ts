/** A program for Node for Windows: lets two processes race for a store in the folder that is named, and prints what came of it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createEnvironmentStore } from '../../../core/src/adapters/store-file/environment-store.ts';
import { createFileSystem } from '../../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../../core/src/adapters/system/processes.ts';
import { toId } from '../../../core/src/domain/ids.ts';
import { contend } from '../contention.ts';
import { stateOf } from '../store-state.ts';

const [place = '', rounds = '', wait = ''] = process.argv.slice(2);
const platform = toId('PlatformId', 'ab'.repeat(10));
const folder = join(place, platform);
const store = createEnvironmentStore({
  disk: createFileSystem(process.platform),
  processes: createProcesses(process.platform),
  folder,
  platform,
  storageKey: toId('TpmName', `000b${'11'.repeat(32)}`),
});
const contention = await contend(store, folder, ['Anna', 'Bert'], Number(rounds), Number(wait));
const { current, kept } = await stateOf(store);
const names = (await readdir(folder)).sort();
console.log(JSON.stringify({ ...contention, current, kept: [...kept], names }));
