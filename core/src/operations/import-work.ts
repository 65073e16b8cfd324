/** What the parts of an import share: the archive as it was read, verified and planned. Plain values, no work of its own. */
import type { SignedRevocationList } from '../domain/grant.ts';
import type { ImportPlan } from '../domain/import-plan.ts';
import type { ReadArchive } from '../sealing/archive.ts';
import type { Chain } from '../sealing/grants.ts';
import type { Call } from './operation.ts';
import type { User } from './user-context.ts';

/** One import: what was read, verified and planned. */
export interface ImportWork {
  readonly call: Call;
  readonly user: User;
  readonly read: ReadArchive;
  readonly chain: Chain & { readonly rootAuthority: Uint8Array };
  readonly plan: ImportPlan;
  /** The manifest claims that the archive's key continues the one here: a claim, until both are open. */
  readonly claimsToContinue: boolean;
  readonly path: string;
  readonly revocations: readonly SignedRevocationList[];
}
