/**
 * Where one user's generations lie. Generations are immutable files in `epochs/<n>/`, the pointer `current` names epoch
 * and generation and is switched by one atomic rename after everything it names is durable; so an interruption at any
 * point leaves the old or the new state. Works on bytes: what a generation means is `sealing`'s business.
 */

/** Names one generation. */
export interface GenerationId {
  readonly epoch: number;
  readonly generation: number;
}

export interface StoredGeneration extends GenerationId {
  /** The file's bytes. */
  readonly bytes: Uint8Array;
  /** The file's path, for messages only. */
  readonly path: string;
}

/** An environment set aside as a whole; it keeps its own password. */
export interface QuarantinedEnvironment {
  /** The epoch it was, as decimal digits. */
  readonly id: string;
  readonly generation: number;
  readonly path: string;
}

/** One file of an epoch that is written anew. */
export interface GenerationFile {
  readonly generation: number;
  readonly bytes: Uint8Array;
}

/** What may be done while the lock is held. Each call is one atomic change of state. */
export interface EnvironmentWriter {
  /** The current generation as it is under the lock. */
  current(): Promise<StoredGeneration | undefined>;
  /** Kept generations of the current epoch under the lock, newest first. */
  generations(): Promise<readonly GenerationId[]>;
  /**
   * Writes the next generation of the current epoch (or the first of the first) and switches to it; generations in `drop`
   * go afterwards. Nothing else is dropped: only the caller knows which of them holds the only copy of a key.
   */
  append(generation: number, bytes: Uint8Array, drop?: readonly number[]): Promise<GenerationId>;
  /**
   * Writes exactly these generations, in ascending order, as a whole new epoch and switches to the last of them; the old
   * epoch is deleted (ruling 8). Takes one file at a time, so that only one is in memory. Where `generations` throws, the
   * old epoch stands.
   */
  rewrite(generations: AsyncIterable<GenerationFile>): Promise<GenerationId>;
  /** Takes an environment back from quarantine as it was; the present one, if there is one, goes there (ruling 10). */
  exchange(id: string): Promise<{
    readonly now: GenerationId;
    readonly setAside: QuarantinedEnvironment | undefined;
  }>;
  /** Replaces one generation of a quarantined environment by one atomic rename: for permanent removal only. */
  rewriteQuarantined(id: string, file: GenerationFile): Promise<void>;
  /** Sets the whole present environment aside and switches to a new epoch with this first generation. */
  replace(
    generation: number,
    bytes: Uint8Array,
  ): Promise<{ readonly now: GenerationId; readonly setAside: QuarantinedEnvironment }>;
  /** Sets the whole present environment aside and leaves none. */
  setAside(): Promise<QuarantinedEnvironment>;
}

export interface EnvironmentStore {
  /** The user's folder on this platform, for messages. */
  readonly path: string;
  /** `EnvironmentOfOtherPlatform`, `StoreNewer` or `EnvironmentDamaged` where it cannot be used; undefined where there is none. */
  current(): Promise<StoredGeneration | undefined>;
  /** Kept generations of the current epoch, newest first. */
  generations(): Promise<readonly GenerationId[]>;
  /** One of them; undefined where it is not kept (any more). */
  generation(id: GenerationId): Promise<StoredGeneration | undefined>;
  /** Environments set aside, newest first. */
  quarantine(): Promise<readonly QuarantinedEnvironment[]>;
  /** Numbers of the generations of one of them, newest first; empty where there is none with this id. */
  quarantinedGenerations(id: string): Promise<readonly number[]>;
  /** One of those; undefined where it is not there. `epoch` is the one it was. */
  quarantinedGeneration(id: string, generation: number): Promise<StoredGeneration | undefined>;
  /** Runs `work` with the lock held; `EnvironmentBusy` where another living process holds it. Left-overs of a crash are removed first. */
  withLock<Result>(work: (writer: EnvironmentWriter) => Promise<Result>): Promise<Result>;
  /** Thumbprints (SHA-1, upper-case hex) that were put into the system's certificate store, by credential id. */
  installed(): Promise<ReadonlyMap<string, string>>;
  /** Replaces that record by what `change` makes of it; two programs at once both take effect. `EnvironmentBusy`. */
  updateInstalled(
    change: (installed: ReadonlyMap<string, string>) => ReadonlyMap<string, string>,
  ): Promise<void>;
  /** Failed tries at one password (advisory on the software chip). */
  attempts(password: TriedPassword): Promise<PasswordAttempts>;
  /** Replaces that record by what `change` makes of it; two programs at once both take effect. `EnvironmentBusy`. */
  updateAttempts(
    password: TriedPassword,
    change: (attempts: PasswordAttempts) => PasswordAttempts,
  ): Promise<void>;
}

/**
 * Which password was tried: its salt tells it from every other one. Archives are counted apart from the environment that has
 * the same password, as there a transfer code may be guessed at.
 */
export interface TriedPassword {
  readonly of: 'environment' | 'archive';
  /** 16 bytes. */
  readonly passwordSalt: Uint8Array;
}

export interface PasswordAttempts {
  readonly failed: number;
  /** Instant of the last failure; 0 where there is none. */
  readonly last: number;
}
