/** The two hash chains: administrative events in the platform folder, a user's in the user's folder. */
import type { HistoryEvent, HistoryLine } from '../domain/history.ts';

export interface History {
  append(scope: 'platform' | 'user', event: HistoryEvent): Promise<void>;
  /** Lines of one chain, oldest first; `HistoryBroken` where the chain does not hold. Empty where there is none or it may not be read. */
  read(scope: 'platform' | 'user'): Promise<readonly HistoryLine[]>;
  /** Hash of the newest line, 32 bytes; empty where there is none. */
  head(scope: 'platform' | 'user'): Promise<Uint8Array>;
}
