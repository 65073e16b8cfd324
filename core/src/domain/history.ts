/** History events: what happened, to what, with which result. One hash chain per writer (`adapters`, port `history`). */
import type { Instant } from './time.ts';

export interface HistoryEvent {
  readonly time: Instant;
  /** Operation name of the process protocol, e.g. `import`. */
  readonly operation: string;
  /** `ok`, or an error code. */
  readonly outcome: string;
  /** Display name of who did it. */
  readonly account: string;
  /** Plain facts: serials, names, generation numbers. Never a secret. */
  readonly facts: Readonly<Record<string, string>>;
}

export interface HistoryLine extends HistoryEvent {
  readonly scope: 'platform' | 'user';
  readonly number: number;
  /** SHA-256 of the line before, hex; 64 zeros for the first. */
  readonly previous: string;
  /** SHA-256 of this line, hex. */
  readonly hash: string;
}
