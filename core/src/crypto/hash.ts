/**
 * SHA-256, and HMAC over it (FIPS 180-4, RFC 2104); SHA-1 only for certificate thumbprints and legacy PKCS#12.
 * Leaves out hashing of streams: everything that this product hashes is bounded and in memory.
 */
import { createHash, createHmac } from 'node:crypto';
import { plain } from '../bytes/bytes.ts';

/** SHA-256 over the parts as if they were joined; 32 bytes. Parts are not separated: callers prefix lengths. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return plain(hash.digest());
}

/** SHA-1, 20 bytes. Never for anything that must resist collisions. */
export function sha1(bytes: Uint8Array): Uint8Array {
  return plain(createHash('sha1').update(bytes).digest());
}

/** HMAC-SHA-256 over the parts as if they were joined; 32 bytes. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return plain(hmac.digest());
}
