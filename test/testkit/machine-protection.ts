/**
 * A computer's own encryption of small secrets, in place of Windows' data protection: what one computer protects, only it opens,
 * and only for the same purpose. The same secret always gives the same bytes, so that tests can compare files.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';
import { concat, plain, utf8 } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import type { MachineProtection } from '../../core/src/ports/machine-protection.ts';

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  plain(
    createHash('sha256')
      .update(concat(...parts))
      .digest(),
  );

export const refusedByComputer = 'this computer refuses it';

export function protectionOf(computer: string): MachineProtection {
  const key = sha256(utf8(`the keys of ${computer}`));
  return {
    protect: (secret, purpose) => {
      const nonce = sha256(key, secret.reveal, purpose).slice(0, 12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(purpose);
      return concat(nonce, cipher.update(secret.reveal), cipher.final(), cipher.getAuthTag());
    },
    unprotect: (bytes, purpose) => {
      if (bytes.length < 28) return { refused: refusedByComputer };
      const opening = createDecipheriv('aes-256-gcm', key, bytes.slice(0, 12)).setAAD(purpose);
      opening.setAuthTag(bytes.slice(-16));
      const opened = opening.update(bytes.slice(12, -16));
      try {
        opening.final();
      } catch {
        return { refused: refusedByComputer };
      }
      return new SecretBytes(plain(opened));
    },
  };
}
