/** Generations sealed and opened, and what no longer opens once anything in them is another. */
import { describe, expect, test } from 'vitest';
import { equal, toHex } from '../../../core/src/bytes/bytes.ts';
import { openAesGcm } from '../../../core/src/crypto/aead.ts';
import { sha256 } from '../../../core/src/crypto/hash.ts';
import { decodeGeneration } from '../../../core/src/format/generation-v1.ts';
import { createAuthority } from '../../../core/src/sealing/authority.ts';
import {
  misfitOf,
  openBasicUserKey,
  openGeneration,
  sealBasicUserKey,
  sealGeneration,
} from '../../../core/src/sealing/environment.ts';
import { environmentKey } from '../../../core/src/sealing/user-keys.ts';
import {
  codeOf,
  makeEnvironment,
  makeHeader,
  makeKey,
  makeUser,
  revealed,
  seededBytes,
  seededSecret,
} from '../../testkit/sealing.ts';

const root = createAuthority();
const key = makeKey(root);
const { keys, vaultKey } = makeUser();
const open = { vaultKey, atRest: keys.atRest };
const environment = makeEnvironment(root.public, ['mail', 'files']);
const header = makeHeader(key);

describe('generation', () => {
  const bytes = sealGeneration(header, environment, open);
  const decoded = decodeGeneration(bytes, 'g');

  test('opens to what was sealed', () => {
    const opened = openGeneration(decoded, open, 'g');
    expect(decoded.header).toEqual(header);
    expect(opened.publicPart).toEqual(environment.publicPart);
    expect(revealed(opened)).toEqual(revealed(environment));
    expect(opened.privatePart.tombstones).toEqual([]);
  });

  test('is AES-256-GCM under the environment key, zero nonce, with header and public part as associated data', () => {
    using sealing = environmentKey(vaultKey, keys.atRest, header.keySalt);
    const associated = sha256(decoded.headerBytes, decoded.publicBytes);
    const opened = openAesGcm(sealing, new Uint8Array(12), decoded.sealedPrivate, associated);
    expect(opened?.length).toBe(decoded.sealedPrivate.length - 16);
  });

  test('needs the chip and the password, and the key salt of this very writing', () => {
    const code = (changed: Partial<typeof open>) =>
      codeOf(() => openGeneration(decoded, { ...open, ...changed }, 'g'));
    expect(code({})).toBeUndefined();
    expect(code({ vaultKey: seededSecret('another vault key') })).toBe('EnvironmentDamaged');
    expect(code({ atRest: seededSecret('another password') })).toBe('EnvironmentDamaged');
    const salted = { ...decoded, header: { ...header, keySalt: seededBytes('another salt', 16) } };
    expect(codeOf(() => openGeneration(salted, open, 'g'))).toBe('EnvironmentDamaged');
  });

  test('does not open with the header or the public part of another one', () => {
    const later = sealGeneration({ ...header, generation: 8, parent: 7 }, environment, open);
    const { headerBytes } = decodeGeneration(later, 'g');
    expect(codeOf(() => openGeneration({ ...decoded, headerBytes }, open, 'g'))).toBe('EnvironmentDamaged');
    const other = sealGeneration(header, makeEnvironment(root.public, ['mail']), open);
    const { publicBytes } = decodeGeneration(other, 'g');
    expect(codeOf(() => openGeneration({ ...decoded, publicBytes }, open, 'g'))).toBe('EnvironmentDamaged');
  });

  test('another salt gives another ciphertext, the same one the same file', () => {
    expect(equal(sealGeneration(header, environment, open), bytes)).toBe(true);
    const salted = sealGeneration({ ...header, keySalt: seededBytes('fresh', 16) }, environment, open);
    expect(toHex(decodeGeneration(salted, 'g').sealedPrivate)).not.toBe(toHex(decoded.sealedPrivate));
  });

  test('credentials and keys belong together', () => {
    const { publicPart, privatePart } = environment;
    const [first] = publicPart.credentials;
    if (first === undefined) throw new Error('a credential');
    const without = {
      publicPart,
      privatePart: { ...privatePart, keys: new Map([...privatePart.keys].slice(1)) },
    };
    expect(misfitOf(without)).toBe('a credential has no private key');
    const fewer = { ...publicPart, credentials: [first], features: {} };
    expect(misfitOf({ publicPart: fewer, privatePart })).toBe('a private key has no credential');
    expect(() => sealGeneration(header, without, open)).toThrow(RangeError);
    expect(misfitOf(environment)).toBeUndefined();
  });
});

describe('the blob of a Basic User Key', () => {
  const blob = seededBytes('chip blob', 150);
  const wrapped = sealBasicUserKey(blob, key.public, header.keySalt, 'software', keys.atRest);
  const inHeader = { ...header, basicUserKeyPrivate: wrapped };

  test('is wrapped under the password on the software chip, and left alone on a TPM', () => {
    expect(toHex(wrapped)).not.toContain(toHex(blob));
    expect(openBasicUserKey(inHeader, 'software', keys.atRest, 'anna')).toEqual(blob);
    expect(sealBasicUserKey(blob, key.public, header.keySalt, 'tpm2', keys.atRest)).toEqual(blob);
    expect(openBasicUserKey({ ...header, basicUserKeyPrivate: blob }, 'tpm2', keys.atRest, 'anna')).toEqual(
      blob,
    );
  });

  test('does not open with another password, salt or public area', () => {
    const code = (changed: Partial<typeof header>, atRest = keys.atRest) =>
      codeOf(() => openBasicUserKey({ ...inHeader, ...changed }, 'software', atRest, 'anna'));
    expect(code({}, seededSecret('guess'))).toBe('PasswordRejected');
    expect(code({ keySalt: seededBytes('other', 16) })).toBe('PasswordRejected');
    expect(code({ basicUserKey: makeKey(root, 'other').public })).toBe('PasswordRejected');
    expect(code({ basicUserKeyPrivate: blob })).toBe('PasswordRejected');
  });
});
