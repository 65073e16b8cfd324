/**
 * Whether a private area belongs to a public one, as a TPM checks at loading (TPM_RC_BINDING, Part 3, clause 12.2). The
 * wrappers prove who made a pair, not that its maker made it well.
 */
import { equal } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { pointOf } from '../crypto/p256.ts';
import type { Sensitive } from './sensitive.ts';
import type { Public } from './structures.ts';

/** Whether the scalar makes the point, or the sealed data (with its seed) the digest. */
export function isBoundTo(area: Public, object: Sensitive): boolean {
  if (area.type !== object.sensitiveType) return false;
  switch (area.type) {
    case 'ECC': {
      const point = pointOf(object.sensitive);
      return point !== undefined && equal(point.x, area.unique.x) && equal(point.y, area.unique.y);
    }
    case 'KEYEDHASH':
      return equal(area.unique, sealedUnique(object));
  }
}

/** `unique` of sealed data: SHA-256(seedValue ‖ data), Part 1, clause 27.5.3.2. */
export function sealedUnique(object: Sensitive): Uint8Array {
  return sha256(object.seedValue.reveal, object.sensitive.reveal);
}
