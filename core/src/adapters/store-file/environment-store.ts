/**
 * Port `environment-store` in a folder of the calling account (docs/spec/environment-store.md). Works on bytes; the
 * formats of its own small files are `state-files.ts`.
 */
import type { PlatformId, TpmName } from '../../domain/ids.ts';
import { maximumBytesOf } from '../../format/kind.ts';
import type {
  EnvironmentStore,
  EnvironmentWriter,
  GenerationId,
  PasswordAttempts,
  TriedPassword,
  QuarantinedEnvironment,
  StoredGeneration,
} from '../../ports/environment-store.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { Processes } from '../../ports/processes.ts';
import { ensureFolder, readIfThere, replaceFile } from './durable.ts';
import { FileEnvironmentWriter } from './environment-writer.ts';
import { fileMode, folderMode, layoutOf, parseEpochName, type Layout } from './layout.ts';
import { makeDurable, removeLeftOvers } from './left-overs.ts';
import { recordsWaitMilliseconds, withLock } from './lock.ts';
import {
  atOneState,
  isSetAside,
  listQuarantine,
  presentGenerations,
  quarantinedGenerations,
  readCurrent,
  readGeneration,
  readPointer,
  type StorePlace,
} from './pointer.ts';
import {
  decodeInstalled,
  decodePasswordAttempts,
  earlierAttempts,
  encodeInstalled,
  encodePasswordAttempts,
  keyOfPassword,
  noAttempts,
  type AttemptsByPassword,
} from './state-files.ts';

export interface EnvironmentStoreOptions {
  readonly disk: FileSystem;
  readonly processes: Processes;
  /** The user's folder on this platform; made at the first change. */
  readonly folder: string;
  readonly platform: PlatformId;
  readonly storageKey: TpmName;
  /** How long a change waits for another process. */
  readonly lockWaitMilliseconds?: number;
}

const defaultWaitMilliseconds = 2000;

export function createEnvironmentStore(options: EnvironmentStoreOptions): EnvironmentStore {
  return new FileEnvironmentStore(options);
}

class FileEnvironmentStore implements EnvironmentStore {
  readonly path: string;
  readonly #options: EnvironmentStoreOptions;
  readonly #layout: Layout;
  readonly #place: StorePlace;

  constructor(options: EnvironmentStoreOptions) {
    this.path = options.folder;
    this.#options = options;
    this.#layout = layoutOf(options.folder);
    this.#place = { disk: options.disk, layout: this.#layout, storageKey: options.storageKey };
  }

  current(): Promise<StoredGeneration | undefined> {
    return readCurrent(this.#place);
  }

  generations(): Promise<readonly GenerationId[]> {
    return atOneState(this.#place, (pointer) => presentGenerations(this.#place, pointer));
  }

  async generation(id: GenerationId): Promise<StoredGeneration | undefined> {
    const path = this.#layout.generation(id.epoch, id.generation);
    const found = await readGeneration(this.#options.disk, id, path);
    // Its bytes never change: where the pointer still has it among what is kept, it was so when it was read.
    const pointer = await readPointer(this.#place);
    return id.epoch === pointer?.epoch && id.generation <= (pointer.generation ?? 0) ? found : undefined;
  }

  quarantine(): Promise<readonly QuarantinedEnvironment[]> {
    return atOneState(this.#place, (pointer) => listQuarantine(this.#place, pointer));
  }

  quarantinedGenerations(id: string): Promise<readonly number[]> {
    return atOneState(this.#place, (pointer) =>
      quarantinedGenerations(this.#place, pointer, parseEpochName(id)),
    );
  }

  quarantinedGeneration(id: string, generation: number): Promise<StoredGeneration | undefined> {
    const epoch = parseEpochName(id);
    return atOneState(this.#place, async (pointer) => {
      if (epoch === undefined || !isSetAside(pointer, epoch)) return undefined;
      const path = this.#layout.quarantinedGeneration(epoch, generation);
      return readGeneration(this.#options.disk, { epoch, generation }, path);
    });
  }

  async withLock<Result>(work: (writer: EnvironmentWriter) => Promise<Result>): Promise<Result> {
    const { processes } = this.#options;
    const waitMilliseconds = this.#options.lockWaitMilliseconds ?? defaultWaitMilliseconds;
    return this.#locked('lock', waitMilliseconds, async () => {
      await removeLeftOvers(this.#place, processes, await readPointer(this.#place));
      return work(new FileEnvironmentWriter(this.#place, processes));
    });
  }

  async installed(): Promise<ReadonlyMap<string, string>> {
    const path = this.#layout.installed;
    const bytes = await readIfThere(this.#options.disk, path, maximumBytesOf('installed'));
    return bytes === undefined ? new Map() : decodeInstalled(bytes, path);
  }

  updateInstalled(
    change: (installed: ReadonlyMap<string, string>) => ReadonlyMap<string, string>,
  ): Promise<void> {
    return this.#updateRecord(this.#layout.installed, async () =>
      encodeInstalled(change(await this.installed())),
    );
  }

  async attempts(password: TriedPassword): Promise<PasswordAttempts> {
    return attemptsAt(await this.#attempts(), keyOfPassword(password));
  }

  updateAttempts(
    password: TriedPassword,
    change: (attempts: PasswordAttempts) => PasswordAttempts,
  ): Promise<void> {
    return this.#updateRecord(this.#layout.attempts, async () => {
      const all = await this.#attempts();
      const key = keyOfPassword(password);
      return encodePasswordAttempts(new Map(all).set(key, change(attemptsAt(all, key))));
    });
  }

  async #attempts(): Promise<AttemptsByPassword> {
    const path = this.#layout.attempts;
    const bytes = await readIfThere(this.#options.disk, path, maximumBytesOf('password-attempts'));
    return bytes === undefined ? new Map() : decodePasswordAttempts(bytes, path);
  }

  /** Records stand beside the generations, are whole files, and have a lock of their own: no change of state waits for them. */
  #updateRecord(path: string, encode: () => Promise<Uint8Array>): Promise<void> {
    const { disk, processes } = this.#options;
    return this.#locked('records-lock', recordsWaitMilliseconds, async () => {
      await replaceFile(disk, processes, path, await encode(), fileMode);
    });
  }

  async #locked<Result>(
    name: string,
    waitMilliseconds: number,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const { disk, processes, folder, platform } = this.#options;
    // A folder of another platform or of a newer program is not even locked: nothing in it is touched.
    await readPointer(this.#place);
    await this.#ensureOwnFolder();
    const recover = (): Promise<void> => makeDurable(this.#place);
    return withLock({ disk, processes, folder, name, platform, waitMilliseconds, recover }, work);
  }

  /** The folder, closed to other accounts also where it was made by something else. */
  async #ensureOwnFolder(): Promise<void> {
    const { disk, folder } = this.#options;
    await ensureFolder(disk, folder, folderMode);
    const mode = (await disk.status(folder))?.mode;
    if (mode !== undefined && mode !== folderMode) await disk.setMode(folder, folderMode);
  }
}

function attemptsAt(all: AttemptsByPassword, key: string): PasswordAttempts {
  return all.get(key) ?? all.get(earlierAttempts) ?? noAttempts;
}
