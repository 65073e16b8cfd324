/** The rpc format's records: one JSON object per line, in order, each written whole. */
import { errorCatalogue, errorClasses, type ErrorCode } from '../../domain/error-catalogue.ts';
import type { SecretBytes } from '../../bytes/secret-bytes.ts';
import type { SPMigrationError } from '../../domain/error.ts';
import type { ShownPlan } from '../../operations/run.ts';
import { withDates } from '../result-values.ts';

const progressInterval = 250;

/** Writes records to a stream. */
export class RpcOutput {
  readonly #stream: NodeJS.WritableStream;
  #lastProgress = 0;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  hello(version: string): void {
    this.#line({ t: 'hello', protocol: 1, version });
  }

  /** At most four times a second: a reader on Windows PowerShell 5.1 draws each one. */
  progress(id: number, activity: string, status: string, percent: number): void {
    const now = performance.now();
    if (now - this.#lastProgress < progressInterval) return;
    this.#lastProgress = now;
    this.#line({ t: 'progress', id, activity, status, percent });
  }

  verbose(id: number, message: string): void {
    this.#line({ t: 'verbose', id, message });
  }

  warning(id: number, message: string, code: ErrorCode | undefined): void {
    this.#line({ t: 'warning', id, message, ...(code === undefined ? {} : { code }) });
  }

  plan(id: number, operation: string, { planId, plan, preview }: ShownPlan): void {
    const { action, target, impact, lines } = plan;
    const value = typeof preview === 'object' && preview !== null ? withDates(preview) : null;
    this.#line({ t: 'plan', id, planId, operation, action, target, impact, lines, value });
  }

  result(id: number, type: string, value: object): void {
    this.#line({ t: 'result', id, type, value: withDates(value) });
  }

  /** The one exception to "no secret in a record": N raw bytes behind the line. */
  secret(id: number, name: string, secret: SecretBytes): void {
    this.#line({ t: 'secret', id, name, bytes: secret.length });
    // A copy: the stream may still hold it when the secret is cleared.
    this.#stream.write(new Uint8Array(secret.reveal));
  }

  error(id: number, error: SPMigrationError, target: string | null): void {
    const { class: errorClass } = errorCatalogue[error.code];
    this.#line({
      t: 'error',
      id,
      code: error.code,
      class: errorClass,
      category: errorClasses[errorClass].category,
      message: error.message,
      hint: error.hint,
      target,
      details: error.details,
    });
  }

  end(id: number, ok: boolean): void {
    this.#lastProgress = 0;
    this.#line({ t: 'end', id, ok });
  }

  #line(record: Readonly<Record<string, unknown>>): void {
    this.#stream.write(`${JSON.stringify(record)}\n`);
  }
}
