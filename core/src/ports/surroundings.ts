/** Small ports: clock, randomness, policy. */
import type { Policy } from '../domain/policy.ts';
import type { Instant } from '../domain/time.ts';

export type Clock = () => Instant;

/** Cryptographically strong random bytes; tests pass a seeded source. */
export type Random = (length: number) => Uint8Array;

export interface PolicyPort {
  /** `PolicyMalformed` where there is a policy that cannot be read. */
  read(): Promise<Policy>;
}
