/**
 * A simulated computer in this process: the real ports over a rehearsal folder, and every operation of the registry, as
 * the front doors call them. Pieces of the ports can be replaced (clock, account, files) to play a situation.
 */
import { composePorts, type Machine } from '../../core/src/compose.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import {
  findOperation,
  type OperationName,
  type ParameterValues,
} from '../../core/src/operations/registry.ts';
import type { Call } from '../../core/src/operations/operation.ts';
import { applyChange, planChange, type ShownPlan } from '../../core/src/operations/run.ts';
import { Secrets, type SecretName } from '../../core/src/operations/secrets.ts';
import type { Ports } from '../../core/src/ports/ports.ts';
import { windowsLane } from './windows/lane.ts';
import { windowsMachine } from './windows/user.ts';

export interface Warning {
  readonly message: string;
  readonly code: string | undefined;
}

type SecretValues = Readonly<Partial<Record<SecretName, string | Uint8Array>>>;

export class Computer {
  readonly home: string;
  ports: Ports;
  /** Warnings of the last call. */
  warnings: Warning[] = [];

  private constructor(home: string, ports: Ports) {
    this.home = home;
    this.ports = ports;
  }

  /** A computer whose state lies in `home` (its base name is its name); the folder must exist. */
  static async at(
    home: string,
    replaced: Partial<Ports> = {},
    machine?: Machine,
    /** Where its TPM listens, as SPMIGRATION_TPM says it; undefined: it has none. */
    tpm?: string,
  ): Promise<Computer> {
    const env = { SPMIGRATION_HOME: home, ...(tpm !== undefined && { SPMIGRATION_TPM: tpm }) };
    // What the Windows programs of the lane find there must be their own user's.
    const here = windowsLane() === undefined ? machine : { ...windowsMachine(home), ...machine };
    const ports = await composePorts(env, process.platform, here);
    return new Computer(home, { ...ports, ...replaced });
  }

  /** Runs an operation at once and answers its values. */
  async run<Value = Record<string, unknown>>(
    name: OperationName,
    parameters: ParameterValues = {},
    secrets: SecretValues = {},
  ): Promise<readonly Value[]> {
    using ring = this.#secrets(secrets);
    const call = this.#call(ring);
    const entry = findOperation(name);
    if (entry === undefined) throw new Error(`no operation ${name}`);
    const values: unknown[] = [];
    if (entry.kind === 'reader') {
      const operation = await entry.load();
      for await (const value of operation(call, parameters)) values.push(value);
    } else if (entry.kind === 'changer') {
      values.push(...(await applyChange(name, entry, call, parameters, undefined)));
    } else {
      const operation = await entry.load();
      values.push(await operation(call, parameters));
    }
    return values as Value[];
  }

  /** The one value of an operation. */
  async one<Value = Record<string, unknown>>(
    name: OperationName,
    parameters: ParameterValues = {},
    secrets: SecretValues = {},
  ): Promise<Value> {
    const [value] = await this.run<Value>(name, parameters, secrets);
    if (value === undefined) throw new Error(`${name} answered nothing`);
    return value;
  }

  /** What would happen. */
  async plan(
    name: OperationName,
    parameters: ParameterValues = {},
    secrets: SecretValues = {},
  ): Promise<ShownPlan> {
    using ring = this.#secrets(secrets);
    const entry = findOperation(name);
    if (entry?.kind !== 'changer') throw new Error(`${name} changes nothing`);
    return await planChange(name, entry, this.#call(ring), parameters);
  }

  #secrets(secrets: SecretValues): Secrets & Disposable {
    const ring = new Secrets(this.ports.random);
    for (const [name, value] of Object.entries(secrets)) {
      const bytes = typeof value === 'string' ? utf8(value) : value;
      ring.put(name as SecretName, SecretBytes.copyOf(bytes));
    }
    return Object.assign(ring, {
      [Symbol.dispose]: () => {
        ring.dispose();
      },
    });
  }

  #call(secrets: Secrets): Call {
    this.warnings = [];
    return {
      ports: this.ports,
      secrets,
      signal: new AbortController().signal,
      report: {
        progress: () => undefined,
        verbose: () => undefined,
        warning: (message, code) => {
          this.warnings.push({ message, code });
        },
      },
    };
  }
}
