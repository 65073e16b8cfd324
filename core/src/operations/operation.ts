/**
 * The shape of every operation. A reader answers values. A changer makes all its checks and computes its plan before
 * anything changes, and answers a `Planned` whose `apply` performs exactly that. `plan` and `apply` of the process
 * protocol are the same function called twice, so no check can be made in one and forgotten in the other.
 */
import type { ErrorCode } from '../domain/error-catalogue.ts';
import type { Ports } from '../ports/ports.ts';
import type { Secrets } from './secrets.ts';

/** What an operation tells while it works. None of it decides anything. */
export interface Report {
  progress(activity: string, status: string, percent: number): void;
  verbose(message: string): void;
  warning(message: string, code?: ErrorCode): void;
}

/** Everything an operation gets besides its parameters. */
export interface Call {
  readonly ports: Ports;
  readonly secrets: Secrets;
  readonly report: Report;
  /** Aborted when the caller gives up; operations ask before their point of commit. */
  readonly signal: AbortSignal;
}

/** Values that can be hashed canonically into a plan's id. */
export type Fact = string | number | boolean | null | readonly Fact[] | { readonly [name: string]: Fact };

/** What is shown before a change, and what its id is computed from. */
export interface Plan {
  /** The act in a few words, e.g. `Import the archive`. */
  readonly action: string;
  /** What it acts on, for a confirmation's first line. */
  readonly target: string;
  /** `high`: trust widens or something could be lost. */
  readonly impact: 'medium' | 'high';
  /** One sentence for each single effect, for people. */
  readonly lines: readonly string[];
  /** What decides the effects: input hashes, present generation, the computed plan. No clock, random or display values. */
  readonly facts: Readonly<Record<string, Fact>>;
  /** Set where `apply` refuses for this reason unless the caller allowed it; the plan is still shown. */
  readonly refused?: { readonly code: ErrorCode; readonly message: string };
}

/** A change that was checked and planned, and not made yet. */
export interface Planned<Value> {
  readonly plan: Plan;
  /** The result's shape as far as it is known, for `-WhatIf`; undefined where nothing can be said yet. */
  readonly preview?: unknown;
  /**
   * Derives what `apply` will need from the secrets at hand, so that they need not be sent again, and tries them, so that
   * nobody is asked to confirm what cannot be done. Where `apply` follows at once it tries them itself.
   */
  readonly prepare?: (next: 'apply' | 'question') => Promise<void>;
  readonly apply: () => Promise<Value>;
  /** Clears what was opened for the plan; called once, whether or not `apply` was. */
  readonly dispose?: () => Promise<void>;
}

export type Reader<Parameters, Value> = (call: Call, parameters: Parameters) => AsyncIterable<Value>;
export type Changer<Parameters, Value> = (call: Call, parameters: Parameters) => Promise<Planned<Value>>;
