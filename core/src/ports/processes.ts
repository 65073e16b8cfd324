/** Which processes live: decides whether a lock that was left behind still means something. */

/** A process as locks name it. `start` tells a process from a later one with the same number. */
export interface ProcessMark {
  readonly pid: number;
  /** Opaque: letters and digits, 1 to 40. */
  readonly start: string;
}

export interface Processes {
  self(): Promise<ProcessMark>;
  /** Whether exactly that process still runs. In doubt yes: a lock is better kept too long than broken. */
  isAlive(mark: ProcessMark): Promise<boolean>;
}
