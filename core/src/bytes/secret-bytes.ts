/**
 * A private key, password or derived key outside a chip. It prints `[secret]` wherever a value is turned into text,
 * refuses use after it was disposed, and overwrites its bytes then. What this cannot promise: JavaScript may have
 * moved or copied memory before (threat model, "not mitigated").
 */
export class SecretBytes {
  #bytes: Uint8Array | undefined;

  /** Takes ownership of `bytes`: the caller must not use them afterwards. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A secret holding a copy of `bytes`; the caller keeps (and clears) its own. */
  static copyOf(bytes: Uint8Array): SecretBytes {
    return new SecretBytes(new Uint8Array(bytes));
  }

  /** The bytes themselves, not a copy. Throws Error after `dispose`. Do not keep the reference. */
  get reveal(): Uint8Array {
    if (this.#bytes === undefined) throw new Error('a secret was used after it had been cleared');
    return this.#bytes;
  }

  get length(): number {
    return this.reveal.length;
  }

  /** Overwrites and drops the bytes; may be called again. */
  dispose(): void {
    this.#bytes?.fill(0);
    this.#bytes = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
