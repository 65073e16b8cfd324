/**
 * Under which password each kept generation is (docs/spec/environment-store.md, "Passwords"): a generation names the salt of
 * its password, so this needs none. A password change leaves behind what it cannot open, and this finds it.
 */
import { equal } from '../bytes/bytes.ts';
import type { GenerationHeader } from '../domain/environment.ts';
import { isSPMigrationError, type SPMigrationError } from '../domain/error.ts';
import { decodeGeneration } from '../format/generation-v1.ts';
import type { EnvironmentStore } from '../ports/environment-store.ts';

export interface KeptPasswords {
  /** How many generations are kept. */
  readonly kept: number;
  /** Numbers of those that another password opens than the present one, newest first. */
  readonly other: readonly number[];
  /** What is wrong with those that cannot be read. */
  readonly damaged: readonly SPMigrationError[];
}

/** `headerOf` says how much of each file is looked at: all of it, or the header only, which takes a fraction of the time. */
export async function keptPasswords(
  store: EnvironmentStore,
  { passwordSalt }: Pick<GenerationHeader, 'passwordSalt'>,
  headerOf: (bytes: Uint8Array, path: string) => GenerationHeader = (bytes, path) =>
    decodeGeneration(bytes, path).header,
): Promise<KeptPasswords> {
  const ids = await store.generations();
  const other: number[] = [];
  const damaged: SPMigrationError[] = [];
  for (const id of ids) {
    try {
      const stored = await store.generation(id);
      // Dropped meanwhile by another program.
      if (stored === undefined) continue;
      if (!equal(headerOf(stored.bytes, stored.path).passwordSalt, passwordSalt)) other.push(id.generation);
    } catch (error) {
      if (!isSPMigrationError(error)) throw error;
      damaged.push(error);
    }
  }
  return { kept: ids.length, other, damaged };
}
