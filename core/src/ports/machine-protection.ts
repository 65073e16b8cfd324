/**
 * The operating system's own encryption of small secrets, which opens on the same computer only, for every account there (Windows:
 * data protection with the machine's keys). Systems without one have no such port.
 */
import type { SecretBytes } from '../bytes/secret-bytes.ts';

export interface MachineProtection {
  /** `secret` encrypted together with a check of `purpose`, which is not secret. `StorageFailed`. */
  protect(secret: SecretBytes, purpose: Uint8Array): Uint8Array;
  /**
   * What was protected for this purpose. `refused`: why the system does not open it, in words for a message (another computer,
   * another purpose, changed bytes: it tells no difference). `StorageFailed` where it cannot tell now.
   */
  unprotect(bytes: Uint8Array, purpose: Uint8Array): SecretBytes | { readonly refused: string };
}
