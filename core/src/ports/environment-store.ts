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

/** What may be done while the lock is held. Each call is one atomic change of state. */
export interface EnvironmentWriter {
  /** The current generation as it is under the lock. */
  current(): Promise<StoredGeneration | undefined>;
  /** Writes the next generation of the current epoch (or the first of the first) and switches to it. The newest 10 are kept. */
  append(generation: number, bytes: Uint8Array): Promise<GenerationId>;
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
  quarantine(): Promise<readonly QuarantinedEnvironment[]>;
  /** Runs `work` with the lock held; `EnvironmentBusy` where another living process holds it. Left-overs of a crash are removed first. */
  withLock<Result>(work: (writer: EnvironmentWriter) => Promise<Result>): Promise<Result>;
  /** Thumbprints (SHA-1, upper-case hex) that were put into the system's certificate store, by credential id. */
  installed(): Promise<ReadonlyMap<string, string>>;
  /** Replaces that record. */
  setInstalled(thumbprints: ReadonlyMap<string, string>): Promise<void>;
  /** Failed password tries (advisory on the software chip). */
  attempts(): Promise<PasswordAttempts>;
  setAttempts(attempts: PasswordAttempts): Promise<void>;
}

export interface PasswordAttempts {
  readonly failed: number;
  /** Instant of the last failure; 0 where there is none. */
  readonly last: number;
}
