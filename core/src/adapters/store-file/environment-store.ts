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
  QuarantinedEnvironment,
  StoredGeneration,
} from '../../ports/environment-store.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { Processes } from '../../ports/processes.ts';
import { ensureFolder, readIfThere, replaceFile } from './durable.ts';
import { FileEnvironmentWriter } from './environment-writer.ts';
import { fileMode, folderMode, layoutOf, parseEpochName, type Layout } from './layout.ts';
import { withLock } from './lock.ts';
import {
  listGenerations,
  listQuarantine,
  presentGenerations,
  readCurrent,
  readGeneration,
  readPointer,
} from './pointer.ts';
import {
  decodeAttempts,
  decodeInstalled,
  encodeAttempts,
  encodeInstalled,
  largestNumber,
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

  constructor(options: EnvironmentStoreOptions) {
    this.path = options.folder;
    this.#options = options;
    this.#layout = layoutOf(options.folder);
  }

  current(): Promise<StoredGeneration | undefined> {
    return readCurrent(this.#options.disk, this.#layout, this.#options.storageKey);
  }

  async generations(): Promise<readonly GenerationId[]> {
    const { disk, storageKey } = this.#options;
    return presentGenerations(disk, this.#layout, await readPointer(disk, this.#layout, storageKey));
  }

  generation(id: GenerationId): Promise<StoredGeneration | undefined> {
    return readGeneration(this.#options.disk, id, this.#layout.generation(id.epoch, id.generation));
  }

  async quarantine(): Promise<readonly QuarantinedEnvironment[]> {
    const { disk, storageKey } = this.#options;
    return listQuarantine(disk, this.#layout, await readPointer(disk, this.#layout, storageKey));
  }

  async quarantinedGenerations(id: string): Promise<readonly number[]> {
    const known = await this.quarantine();
    if (!known.some((one) => one.id === id)) return [];
    return listGenerations(this.#options.disk, this.#layout.quarantined(Number(id)), largestNumber);
  }

  async quarantinedGeneration(id: string, generation: number): Promise<StoredGeneration | undefined> {
    const epoch = parseEpochName(id);
    if (epoch === undefined) return undefined;
    const path = this.#layout.quarantinedGeneration(epoch, generation);
    return readGeneration(this.#options.disk, { epoch, generation }, path);
  }

  async withLock<Result>(work: (writer: EnvironmentWriter) => Promise<Result>): Promise<Result> {
    const { disk, processes, folder, platform, storageKey } = this.#options;
    const waitMilliseconds = this.#options.lockWaitMilliseconds ?? defaultWaitMilliseconds;
    // A folder of another platform or of a newer program is not even locked: nothing in it is touched.
    await readPointer(disk, this.#layout, storageKey);
    await this.#ensureOwnFolder();
    return withLock({ disk, processes, folder, name: 'lock', platform, waitMilliseconds }, async () => {
      const writer = new FileEnvironmentWriter(disk, processes, this.#layout, storageKey);
      await writer.removeLeftOvers();
      return work(writer);
    });
  }

  async installed(): Promise<ReadonlyMap<string, string>> {
    const path = this.#layout.installed;
    const bytes = await readIfThere(this.#options.disk, path, maximumBytesOf('installed'));
    return bytes === undefined ? new Map() : decodeInstalled(bytes, path);
  }

  setInstalled(thumbprints: ReadonlyMap<string, string>): Promise<void> {
    return this.#put(this.#layout.installed, encodeInstalled(thumbprints));
  }

  async attempts(): Promise<PasswordAttempts> {
    const path = this.#layout.attempts;
    const bytes = await readIfThere(this.#options.disk, path, maximumBytesOf('password-attempts'));
    return bytes === undefined ? { failed: 0, last: 0 } : decodeAttempts('password-attempts', bytes, path);
  }

  setAttempts(attempts: PasswordAttempts): Promise<void> {
    return this.#put(this.#layout.attempts, encodeAttempts('password-attempts', attempts));
  }

  /** Records stand beside the generations and are whole files of their own: they need no lock. */
  async #put(path: string, bytes: Uint8Array): Promise<void> {
    const { disk, processes, storageKey } = this.#options;
    await readPointer(disk, this.#layout, storageKey);
    await this.#ensureOwnFolder();
    await replaceFile(disk, processes, path, bytes, fileMode);
  }

  /** The folder, closed to other accounts also where it was made by something else. */
  async #ensureOwnFolder(): Promise<void> {
    const { disk, folder } = this.#options;
    await ensureFolder(disk, folder, folderMode);
    const mode = (await disk.status(folder))?.mode;
    if (mode !== undefined && mode !== folderMode) await disk.setMode(folder, folderMode);
  }
}
