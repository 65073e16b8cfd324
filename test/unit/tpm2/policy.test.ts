/** Policy digests against the vector that was asserted on a TPM (reference: two-ref policy). */
import { describe, expect, test } from 'vitest';
import { concat, toHex } from '../../../core/src/bytes/bytes.ts';
import {
  bukBranches,
  bukPolicy,
  delegationDigest,
  moveDigest,
  policyAuthorize,
  REF_ANY,
  refOne,
} from '../../../core/src/tpm2/policy.ts';

const authorityName = concat(Uint8Array.of(0x00, 0x0b), new Uint8Array(32).fill(0x11));
const nonce = Uint8Array.from({ length: 16 }, (_, i) => i);

describe('the policy of a Basic User Key', () => {
  test('policyRefs and authPolicy are those that a TPM computed', () => {
    expect(toHex(REF_ANY)).toMatch(/^461736ba[0-9a-f]{50}c55b6d$/);
    expect(toHex(refOne(nonce))).toMatch(/^07307174[0-9a-f]{50}093ffc$/);
    expect(toHex(bukPolicy(authorityName, nonce))).toBe(
      '865fcc5f90dd5bdbd8f1285a0bec00b40cd06ce4cd28da16056c2800608fda9e',
    );
  });

  test('the branches are refAny, then refOne', () => {
    expect(bukBranches(authorityName, nonce).map(toHex)).toEqual([
      toHex(policyAuthorize(authorityName, REF_ANY)),
      toHex(policyAuthorize(authorityName, refOne(nonce))),
    ]);
  });

  test('a nonce of another length is a fault of the caller', () => {
    expect(() => refOne(new Uint8Array(15))).toThrow(RangeError);
    expect(() => bukPolicy(authorityName, new Uint8Array(17))).toThrow(RangeError);
  });

  test('every input of a digest changes it', () => {
    const other = concat(Uint8Array.of(0x00, 0x0b), new Uint8Array(32).fill(0x22));
    const otherNonce = new Uint8Array(16);
    const digests = [
      moveDigest(undefined, other),
      moveDigest(undefined, authorityName),
      moveDigest(authorityName, other),
      moveDigest(other, authorityName),
      delegationDigest(other, nonce),
      delegationDigest(other, otherNonce),
      delegationDigest(authorityName, nonce),
      bukPolicy(authorityName, nonce),
      bukPolicy(authorityName, otherNonce),
      bukPolicy(other, nonce),
    ].map(toHex);
    expect(new Set(digests).size).toBe(digests.length);
  });
});
