/** What an administrator's policy may say (ruling 13). Not configured = the documented default. */
import type { AuthorityFingerprint } from './ids.ts';

export interface Policy {
  /** Undefined: any authority is accepted, and that is shown and recorded. */
  readonly trustedAuthorities: readonly AuthorityFingerprint[] | undefined;
  readonly allowRehearsal: boolean;
}

export const defaultPolicy: Policy = { trustedAuthorities: undefined, allowRehearsal: true };
