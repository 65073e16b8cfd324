/** The recorded hand-over by a TPM (test/vectors/tpm2): every value of it computed, checked or opened by our code. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { pointOf } from '../../../core/src/crypto/p256.ts';
import { isBoundTo } from '../../../core/src/tpm2/binding.ts';
import { unwrapDuplicate } from '../../../core/src/tpm2/duplication.ts';
import { evaluateChain } from '../../../core/src/tpm2/evaluate.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { bukBranches, bukPolicy, moveDigest, REF_ANY } from '../../../core/src/tpm2/policy.ts';
import { unwrapChild } from '../../../core/src/tpm2/protection.ts';
import { decodePublic } from '../../../core/src/tpm2/structures.ts';
import {
  isAuthorityKey,
  isBasicUserKey,
  isVaultKey,
  softwareStorageKey,
} from '../../../core/src/tpm2/templates.ts';

const file = new URL('../../vectors/tpm2/duplicate-by-tpm.json', import.meta.url);
const vector = new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>));

function hex(name: string): string {
  const value = vector.get(name);
  if (value === undefined) throw new Error(`the vector has no ${name}`);
  return value;
}
function bytes(name: string): Uint8Array {
  const value = fromHex(hex(name));
  if (value === undefined) throw new Error(`${name} is not hex`);
  return value;
}
const secret = (name: string): SecretBytes => new SecretBytes(bytes(name));

describe('a hand-over recorded from a TPM', () => {
  test('Names, digests and templates', () => {
    expect(toHex(nameOf(bytes('authority')))).toBe(hex('authorityName'));
    expect(toHex(nameOf(bytes('newParent')))).toBe(hex('newParentName'));
    expect(toHex(nameOf(bytes('basicUserKey')))).toBe(hex('basicUserKeyName'));
    expect(toHex(bukPolicy(bytes('authorityName'), bytes('nonce')))).toBe(hex('authPolicy'));
    expect(toHex(moveDigest(undefined, bytes('newParentName')))).toBe(hex('approvedPolicy'));
    expect(toHex(REF_ANY)).toBe(hex('policyRef'));
    expect(isAuthorityKey(bytes('authority'))).toBe(true);
    expect(isBasicUserKey(bytes('basicUserKey'), bytes('authPolicy'))).toBe(true);
    expect(isVaultKey(bytes('sealedPublic'))).toBe(true);
  });

  test('the approval that the TPM accepted is accepted here', () => {
    const step = {
      authority: bytes('authority'),
      approvedPolicy: bytes('approvedPolicy'),
      policyRef: bytes('policyRef'),
      signature: bytes('signature'),
    };
    const verdict = evaluateChain({
      authPolicy: bytes('authPolicy'),
      object: bytes('basicUserKeyName'),
      newParent: bytes('newParentName'),
      steps: [step],
      branches: bukBranches(bytes('authorityName'), bytes('nonce')),
      user: true,
    });
    expect(verdict).toEqual({ kind: 'allowed', objectIncluded: false, delegations: 0, branch: 'any' });
  });

  test('the duplicate opens, and below it what the TPM sealed', () => {
    const privateKey = secret('newParentPrivate');
    const point = pointOf(privateKey);
    if (point === undefined) throw new Error('not a private key');
    expect(toHex(softwareStorageKey(point))).toBe(hex('newParent'));
    const handedOver = { duplicate: bytes('duplicate'), seed: bytes('seed') };
    const unwrapped = unwrapDuplicate(
      { point, privateKey },
      bytes('basicUserKey'),
      handedOver,
      secret('innerKey'),
    );
    if (unwrapped.kind !== 'opened') throw new Error(`refused: ${unwrapped.wrapper}`);
    const key = unwrapped.object;
    const area = decodePublic(bytes('basicUserKey'));
    expect(area !== undefined && isBoundTo(area, key)).toBe(true);
    expect(key.isAuthorizedBy(secret('basicUserAuth'))).toBe(true);
    expect(key.isAuthorizedBy(secret('sealedAuth'))).toBe(false);

    const sealed = unwrapChild(key.seedValue, bytes('sealedPublic'), bytes('sealedPrivate'));
    expect(toHex(sealed?.sensitive.reveal ?? new Uint8Array(0))).toBe(hex('sealedData'));
    expect(sealed?.isAuthorizedBy(secret('sealedAuth'))).toBe(true);
  });
});
