/** Moving secret bytes out of node's Buffers (which may share a pool) into a `SecretBytes` of their own. */
import { SecretBytes } from '../bytes/secret-bytes.ts';

/** Copies `bytes` into a secret and overwrites them. */
export function takeSecret(bytes: Uint8Array): SecretBytes {
  const secret = SecretBytes.copyOf(bytes);
  bytes.fill(0);
  return secret;
}
