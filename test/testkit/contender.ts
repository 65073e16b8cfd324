/**
 * A program that changes one store again and again while others do the same: for each round it looks at the store, plans the next
 * generation, and then writes it if nothing changed since (as every operation does). Says one line of JSON for each round. Begins
 * when its parent says so, with whom it talks through Node's channel.
 * Arguments: folder, its own name, rounds, how long it waits for the lock in milliseconds.
 */
import { createEnvironmentStore } from '../../core/src/adapters/store-file/environment-store.ts';
import { createFileSystem } from '../../core/src/adapters/system/node-file-system.ts';
import { createProcesses } from '../../core/src/adapters/system/processes.ts';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { isSPMigrationError } from '../../core/src/domain/error.ts';
import { toId } from '../../core/src/domain/ids.ts';
import { requireUnchanged, type User } from '../../core/src/operations/user-context.ts';
import type {
  EnvironmentWriter,
  GenerationFile,
  GenerationId,
  StoredGeneration,
} from '../../core/src/ports/environment-store.ts';

const keptBesides = 4;

/** What a contender says of one round. */
export interface Round {
  /** What it wrote; undefined where it was refused. */
  readonly won: GenerationId | undefined;
  readonly text: string;
  /** Of the refusal. */
  readonly code: string | undefined;
}

const [folder = '', name = '', rounds = '0', wait = '0'] = process.argv.slice(2);
const store = createEnvironmentStore({
  disk: createFileSystem(process.platform),
  processes: createProcesses(process.platform),
  folder,
  platform: toId('PlatformId', 'ab'.repeat(10)),
  storageKey: toId('TpmName', `000b${'11'.repeat(32)}`),
  lockWaitMilliseconds: Number(wait),
});

process.send?.('ready');
await new Promise((resolve) => process.once('message', resolve));
for (let round = 0; round < Number(rounds); round++) {
  const text = `${name} in round ${round}`;
  const stored = await store.current();
  const said: Round = await change(stored, text, round % 3 === 2).then(
    (won) => ({ won, text, code: undefined }),
    (error: unknown) => {
      if (!isSPMigrationError(error)) throw error;
      return { won: undefined, text, code: error.code };
    },
  );
  console.log(JSON.stringify(said));
}
process.disconnect?.();

function change(stored: StoredGeneration | undefined, text: string, anew: boolean): Promise<GenerationId> {
  const generation = (stored?.generation ?? 0) + 1;
  return store.withLock(async (writer) => {
    await requireUnchanged(writer, { present: stored && { stored } } as User);
    if (anew && stored !== undefined)
      return writer.rewrite(rewritten(writer, { generation, bytes: utf8(text) }));
    const old = (await writer.generations()).slice(keptBesides);
    const drop = old.map((one) => one.generation);
    return writer.append(generation, utf8(text), drop);
  });
}

/** Every kept generation as it is, and the next one. */
async function* rewritten(writer: EnvironmentWriter, next: GenerationFile): AsyncGenerator<GenerationFile> {
  for (const id of [...(await writer.generations())].reverse()) {
    const stored = await store.generation(id);
    if (stored !== undefined) yield { generation: id.generation, bytes: stored.bytes };
  }
  yield next;
}
