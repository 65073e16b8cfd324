/** The slots of an authority file, and what of a file's keys is checked. */
import { describe, expect, test } from 'vitest';
import { equal, fromHex, toHex } from '../../../core/src/bytes/bytes.ts';
import {
  decodeAuthorityFile,
  encodeAuthorityFile,
  type AuthorityFile,
} from '../../../core/src/format/authority-v1.ts';
import {
  createAuthority,
  openAuthority,
  ownerSalt,
  sealAuthority,
} from '../../../core/src/sealing/authority.ts';
import {
  basicUserKeyPolicy,
  checkBasicUserKey,
  isBasicUserKeyOf,
} from '../../../core/src/sealing/basic-user-key.ts';
import { checkIdentity } from '../../../core/src/sealing/identity.ts';
import { checkRegistration } from '../../../core/src/sealing/registration.ts';
import { generateAgreementKey } from '../../../core/src/crypto/ecdh.ts';
import { basicUserKeyTemplate } from '../../../core/src/tpm2/templates.ts';
import { bukPolicy } from '../../../core/src/tpm2/policy.ts';
import { createSeededRandom } from '../../testkit/surroundings.ts';
import {
  codeOf,
  makeKey,
  makePlatform,
  register,
  seededBytes,
  seededSecret,
  withBitFlipped,
} from '../../testkit/sealing.ts';

describe('authority file', () => {
  const key = createAuthority();
  const salt = seededBytes('salt', 16);
  const ownerRoot = seededSecret('owner');
  const backupKey = seededSecret('backup');
  const random = createSeededRandom('authority');
  const owner = { root: ownerRoot, salt };
  const sealed = sealAuthority(key, { owner, backupKey, random, rehearsal: true });
  const file = decodeAuthorityFile(encodeAuthorityFile(sealed), 'a.spauthority');

  test('the Owner Password and the backup each open the same key', () => {
    expect(equal(ownerSalt(file), salt)).toBe(true);
    for (const by of [{ ownerRoot }, { backupKey }]) {
      using opened = openAuthority(file, by, 'a.spauthority');
      expect(toHex(opened.privateKey.reveal)).toBe(toHex(key.privateKey.reveal));
      expect(toHex(opened.public)).toBe(toHex(key.public));
    }
  });

  test('neither opens the other slot, and another password opens none', () => {
    const open = (by: Parameters<typeof openAuthority>[1]) => codeOf(() => openAuthority(file, by, 'a'));
    expect(open({ ownerRoot: backupKey })).toBe('OwnerPasswordRejected');
    expect(open({ backupKey: ownerRoot })).toBe('OwnerPasswordRejected');
    expect(open({ ownerRoot: seededSecret('guess') })).toBe('OwnerPasswordRejected');
  });

  test('the same bytes as password root and as backup key are two keys', () => {
    const same = sealAuthority(key, { owner, backupKey: ownerRoot, random, rehearsal: true });
    const [first] = same.slots;
    const swapped = { ...same, slots: [first, { ...first, kind: 'backup' as const }] as const };
    expect(codeOf(() => openAuthority(same, { backupKey: ownerRoot }, 'a'))).toBeUndefined();
    expect(codeOf(() => openAuthority(swapped, { backupKey: ownerRoot }, 'a'))).toBe('OwnerPasswordRejected');
  });

  test('a slot does not open beside another public key, or changed', () => {
    const [first] = file.slots;
    const open = (changed: AuthorityFile) => codeOf(() => openAuthority(changed, { ownerRoot }, 'a'));
    expect(open({ ...file, publicKey: createAuthority().public })).toBe('OwnerPasswordRejected');
    for (const bit of [0, 8 * 32, 8 * first.sealed.length - 1]) {
      const slots = [{ ...first, sealed: withBitFlipped(first.sealed, bit) }] as const;
      expect(open({ ...file, slots })).toBe('OwnerPasswordRejected');
    }
    const slots = [{ ...first, nonce12: withBitFlipped(first.nonce12, 3) }] as const;
    expect(open({ ...file, slots })).toBe('OwnerPasswordRejected');
  });

  test('a file without backup, and one whose public key is no authority', () => {
    const plain = sealAuthority(key, { owner, random, rehearsal: true });
    expect(plain.slots).toHaveLength(1);
    expect(codeOf(() => openAuthority(plain, { backupKey }, 'a'))).toBe('AuthorityMalformed');
    const { storageKey } = makePlatform('PC-A').identity;
    expect(codeOf(() => openAuthority({ ...file, publicKey: storageKey }, { ownerRoot }, 'a'))).toBe(
      'AuthorityMalformed',
    );
  });

  test('two sealings of the same key share no nonce', () => {
    const again = sealAuthority(key, { owner, backupKey, random, rehearsal: true });
    const nonces = [...sealed.slots, ...again.slots].map(({ nonce12 }) => toHex(nonce12));
    expect(new Set(nonces).size).toBe(4);
  });

  test('disposing clears the private key', () => {
    const own = createAuthority();
    own.dispose();
    expect(() => own.privateKey.reveal).toThrow();
  });
});

describe('keys in files', () => {
  const root = createAuthority();
  const key = makeKey(root);

  test('a Basic User Key is recognised by root authority and nonce together', () => {
    expect(isBasicUserKeyOf(key.public, key.nonce, root.public)).toBe(true);
    expect(isBasicUserKeyOf(key.public, seededBytes('other', 16), root.public)).toBe(false);
    expect(isBasicUserKeyOf(key.public, key.nonce.subarray(1), root.public)).toBe(false);
    expect(isBasicUserKeyOf(key.public, key.nonce, createAuthority().public)).toBe(false);
    expect(isBasicUserKeyOf(makePlatform('PC-A').identity.storageKey, key.nonce, root.public)).toBe(false);
  });

  test('a root that is no authority key is refused, whatever the policy', () => {
    const { storageKey } = makePlatform('PC-A').identity;
    const policy = basicUserKeyPolicy(storageKey, key.nonce);
    const under = basicUserKeyTemplate(policy, generateAgreementKey());
    expect(isBasicUserKeyOf(under, key.nonce, storageKey)).toBe(false);
  });

  test('a key with the policy and another template is refused', () => {
    // The attributes stand at offset 4; clearing encryptedDuplication (bit 11) would let it leave without inner wrapper.
    const unwrapped = withBitFlipped(key.public, 8 * 6 + 3);
    const refused = () => {
      checkBasicUserKey(unwrapped, key.nonce, root.public, 'x.sparc');
    };
    expect(codeOf(refused)).toBe('BasicUserKeyPolicyWrong');
    expect(
      codeOf(() => {
        checkBasicUserKey(key.public, key.nonce, root.public, 'x.sparc');
      }),
    ).toBeUndefined();
  });

  test('the policy is that of the proven recipe (reference vector: Name 000b, 11 …, nonce 00 … 0f)', () => {
    const name = fromHex(`000b${'11'.repeat(32)}`) ?? new Uint8Array();
    const nonce = Uint8Array.from({ length: 16 }, (_, index) => index);
    expect(toHex(bukPolicy(name, nonce))).toBe(
      '865fcc5f90dd5bdbd8f1285a0bec00b40cd06ce4cd28da16056c2800608fda9e',
    );
    expect(basicUserKeyPolicy(root.public, key.nonce)).toHaveLength(32);
  });

  test('an identity needs a storage key and an authority key, each in its place', () => {
    const { identity } = makePlatform('PC-A');
    const { storageKey, authorityKey } = identity;
    const check = (changed: Partial<typeof identity>) =>
      codeOf(() => {
        checkIdentity({ ...identity, ...changed }, 'a.spid');
      });
    expect(check({})).toBeUndefined();
    expect(check({ storageKey: authorityKey })).toBe('IdentityMalformed');
    expect(check({ authorityKey: storageKey })).toBe('IdentityMalformed');
    expect(check({ storageKey: new Uint8Array() })).toBe('IdentityMalformed');
    expect(check({ authorityKey: withBitFlipped(authorityKey, 8 * authorityKey.length - 1) })).toBe(
      'IdentityMalformed',
    );
  });

  test('a registration needs a key with the root and nonce that it names, and grants that are grants', () => {
    const registration = register(key);
    expect(checkRegistration(registration, 'a.spuser')).toEqual([]);
    for (const changed of [
      { nonce: seededBytes('other', 16) },
      { rootAuthority: createAuthority().public },
      { basicUserKey: makePlatform('PC-A').identity.storageKey },
      { grants: [seededBytes('no grant', 40)] },
    ]) {
      expect(codeOf(() => checkRegistration({ ...registration, ...changed }, 'a.spuser'))).toBe(
        'RegistrationMalformed',
      );
    }
  });
});
