/**
 * Credentials and endorsement keys in software: what a TPM with the right keys opens, everything that it must refuse, and what
 * is taken for an endorsement key. TPMs themselves: `test/interop/tpm-credential.test.ts`.
 */
import { describe, expect, test } from 'vitest';
import { concat, toHex } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { generateAgreementKey } from '../../../core/src/crypto/ecdh.ts';
import { ALG, OBJECT } from '../../../core/src/tpm2/constants.ts';
import { makeCredential } from '../../../core/src/tpm2/credential.ts';
import { endorsementKeyArea, missingBinding } from '../../../core/src/tpm2/endorsement.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { decodePublic, encodePublic } from '../../../core/src/tpm2/structures.ts';
import {
  authorityTemplate,
  softwareStorageKey,
  storageKeyTemplate,
} from '../../../core/src/tpm2/templates.ts';
import {
  activate,
  claimingTpm,
  makeEccEndorsementKey,
  makeRsaEndorsementKey,
  type EndorsementKey,
} from '../../testkit/tpm-double.ts';

const random = (length: number): Uint8Array => new Uint8Array(length).fill(0x5d);
const secretOf = (length: number): SecretBytes => new SecretBytes(new Uint8Array(length).fill(0x53));
const storageKey = claimingTpm(softwareStorageKey(generateAgreementKey()));

function areaOf(key: EndorsementKey): NonNullable<ReturnType<typeof endorsementKeyArea>> {
  const area = endorsementKeyArea(key.public);
  if (area === undefined) throw new Error('an endorsement key was not recognised');
  return area;
}

function flipped(original: Uint8Array, index: number): Uint8Array {
  const copy = new Uint8Array(original);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

/** The public area with other attributes. */
function changed(publicArea: Uint8Array, set: number, clear = 0): Uint8Array {
  const area = decodePublic(publicArea);
  if (area === undefined) throw new Error('no public area');
  return encodePublic({ ...area, objectAttributes: (area.objectAttributes | set) & ~clear });
}

describe.each([
  ['ECC', makeEccEndorsementKey(), 68],
  ['RSA', makeRsaEndorsementKey(), 256],
] as const)('a credential for an %s endorsement key', (_, key, secretBytes) => {
  const made = makeCredential(areaOf(key), nameOf(storageKey), secretOf(32), random);
  const credential = { credentialBlob: made.credentialBlob, secret: made.encryptedSecret };

  test('has the length of its format, and opens to its secret for key and Name', () => {
    expect([made.credentialBlob.length, made.encryptedSecret.length]).toEqual([68, secretBytes]);
    expect(toHex(activate(key, storageKey, credential)?.reveal ?? random(1))).toBe('53'.repeat(32));
    const short = makeCredential(areaOf(key), nameOf(storageKey), secretOf(5), random);
    const opened = activate(key, storageKey, {
      credentialBlob: short.credentialBlob,
      secret: short.encryptedSecret,
    });
    expect(toHex(opened?.reveal ?? random(1))).toBe('53'.repeat(5));
  });

  test('opens for no other endorsement key and no other Name', () => {
    expect(activate(makeEccEndorsementKey(), storageKey, credential)).toBeUndefined();
    expect(activate(makeRsaEndorsementKey(), storageKey, credential)).toBeUndefined();
    const other = claimingTpm(softwareStorageKey(generateAgreementKey()));
    expect(activate(key, other, credential)).toBeUndefined();
    // The attributes are part of the Name: the same key without one of them is another object.
    expect(activate(key, changed(storageKey, 0, OBJECT.fixedTPM), credential)).toBeUndefined();
  });

  test('opens after no change', () => {
    for (let index = 0; index < made.credentialBlob.length; index++) {
      const credentialBlob = flipped(made.credentialBlob, index);
      expect(activate(key, storageKey, { ...credential, credentialBlob }), `byte ${index}`).toBeUndefined();
    }
    for (const index of [0, 3, 35, 40, secretBytes - 1]) {
      const secret = flipped(made.encryptedSecret, index);
      expect(activate(key, storageKey, { ...credential, secret }), `byte ${index}`).toBeUndefined();
    }
    const longer = concat(made.credentialBlob, Uint8Array.of(0));
    expect(activate(key, storageKey, { ...credential, credentialBlob: longer })).toBeUndefined();
  });

  test('is another one each time', () => {
    const again = makeCredential(areaOf(key), nameOf(storageKey), secretOf(32), random);
    expect(toHex(again.encryptedSecret)).not.toBe(toHex(made.encryptedSecret));
  });
});

test('a secret of more than a digest is refused', () => {
  expect(() =>
    makeCredential(areaOf(makeEccEndorsementKey()), nameOf(storageKey), secretOf(33), random),
  ).toThrow(RangeError);
});

describe('an endorsement key', () => {
  const key = makeEccEndorsementKey();

  test('is recognised on P-256 and RSA-2048, also where its user may authorise by a password', () => {
    expect(endorsementKeyArea(key.public)?.type).toBe('ECC');
    expect(endorsementKeyArea(makeRsaEndorsementKey().public)?.type).toBe('RSA');
    // The high-range templates H-1 and H-2 have userWithAuth.
    expect(endorsementKeyArea(changed(key.public, OBJECT.userWithAuth))?.type).toBe('ECC');
  });

  test('is restricted, for decryption, not for signing, and bound to its TPM', () => {
    for (const name of ['restricted', 'decrypt', 'fixedTPM', 'fixedParent', 'sensitiveDataOrigin'] as const)
      expect(endorsementKeyArea(changed(key.public, 0, OBJECT[name])), name).toBeUndefined();
    expect(endorsementKeyArea(changed(key.public, OBJECT.sign))).toBeUndefined();
  });

  test('is on its curve, canonical, and nothing else', () => {
    const { privateKey, x } = generateAgreementKey();
    const off = { privateKey, x, y: x };
    expect(() => makeEccEndorsementKey(off)).toThrow();
    expect(endorsementKeyArea(key.public.slice(0, -1))).toBeUndefined();
    expect(endorsementKeyArea(concat(key.public, Uint8Array.of(0)))).toBeUndefined();
    const otherHash = flipped(key.public, 3);
    expect((otherHash[2] ?? 0) * 256 + (otherHash[3] ?? 0)).not.toBe(ALG.SHA256);
    expect(endorsementKeyArea(otherHash)).toBeUndefined();
    const { x: ax, y: ay } = generateAgreementKey();
    expect(endorsementKeyArea(authorityTemplate(ax, ay))).toBeUndefined();
  });

  test('of a storage key it is known what it lacks to be bound to a TPM', () => {
    expect(missingBinding(storageKeyTemplate())).toBeUndefined();
    expect(missingBinding(softwareStorageKey(generateAgreementKey()))).toBe('fixedTPM');
    expect(missingBinding(claimingTpm(storageKey, OBJECT.fixedParent))).toBe('fixedParent');
    expect(missingBinding(claimingTpm(storageKey, OBJECT.sensitiveDataOrigin))).toBe('sensitiveDataOrigin');
    expect(missingBinding(new Uint8Array())).toBe('fixedTPM');
  });
});
