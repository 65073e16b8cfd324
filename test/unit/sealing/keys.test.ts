/** Fingerprints and derived keys, each recomputed here from nothing but node:crypto and the words of docs/spec/keys.md. */
import { createHash, hkdfSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { toId } from '../../../core/src/domain/ids.ts';
import {
  authorityFingerprint,
  credentialIdOf,
  identityFingerprint,
  platformIdsOf,
  tpmName,
} from '../../../core/src/sealing/fingerprints.ts';
import { basicUserKeyWrapper, environmentKey, UserKeys } from '../../../core/src/sealing/user-keys.ts';
import { makePlatform, seededBytes, seededSecret } from '../../testkit/sealing.ts';

const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  createHash('sha256').update(Buffer.concat(parts)).digest();
const name = (publicArea: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from('000b', 'hex'), sha256(publicArea)]);
const behindLengths = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat(
    parts.flatMap((part) => {
      const bytes = Buffer.from(part);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );

describe('fingerprints', () => {
  const { identity } = makePlatform('PC-Ä');

  test('a Name is 000b and the hash; the platform id is of the Name, whatever the computer is called', () => {
    expect(tpmName(identity.storageKey)).toBe(name(identity.storageKey).toString('hex'));
    const ids = platformIdsOf(identity);
    expect(ids.storageKeyName).toBe(tpmName(identity.storageKey));
    expect(ids.platformId).toBe(sha256(name(identity.storageKey)).toString('hex').slice(0, 20));
    const renamed = platformIdsOf({ ...identity, computer: 'PC-B' });
    expect(renamed.platformId).toBe(ids.platformId);
    expect(renamed.fingerprint).not.toBe(ids.fingerprint);
  });

  test('an identity, an authority and a credential: label and parts behind their lengths', () => {
    const { storageKey, authorityKey } = identity;
    const covered = behindLengths(
      'spmigration/v1 identity',
      'PC-Ä',
      'software',
      'yes',
      storageKey,
      authorityKey,
    );
    expect(identityFingerprint(identity)).toBe(sha256(covered).toString('hex').slice(0, 40));
    const authority = behindLengths('spmigration/v1 authority', name(authorityKey));
    expect(authorityFingerprint(authorityKey)).toBe(sha256(authority).toString('hex').slice(0, 40));
    const [key, certificate] = [seededBytes('key', 91), seededBytes('certificate', 500)];
    const credential = behindLengths('spmigration/v1 credential', key, certificate);
    expect(credentialIdOf(key, certificate)).toBe(sha256(credential).toString('hex').slice(0, 32));
  });

  test('each field of an identity changes its fingerprint, and so does moving a byte between two of them', () => {
    const other = makePlatform('PC-B').identity;
    const fingerprints = [
      identity,
      { ...identity, computer: 'PC-Å' },
      { ...identity, chip: 'tpm2' as const },
      { ...identity, rehearsal: false },
      { ...identity, storageKey: other.storageKey },
      { ...identity, authorityKey: other.authorityKey },
      { ...identity, storageKey: other.storageKey.subarray(1) },
    ].map(identityFingerprint);
    expect(new Set(fingerprints).size).toBe(fingerprints.length);
    const [a, b] = [seededBytes('a', 10), seededBytes('b', 10)];
    const joined = Buffer.concat([a, b]);
    expect(credentialIdOf(joined.subarray(0, 9), joined.subarray(9))).not.toBe(credentialIdOf(a, b));
  });

  test('a credential has another id once its certificate is there', () => {
    const key = seededBytes('key', 91);
    expect(credentialIdOf(key, undefined)).not.toBe(credentialIdOf(key, seededBytes('certificate', 500)));
  });
});

describe('keys of a password', () => {
  const root = seededSecret('root');
  const archive = toId('ArchiveId', toHex(seededBytes('archive', 16)));
  const salt = fromHex(archive) ?? new Uint8Array();
  const vaultKey = seededSecret('vault key');
  const code = seededSecret('code', 10);
  const derived = (
    inputs: readonly SecretBytes[],
    salted: Uint8Array,
    label: string,
    length = 32,
  ): string => {
    const input = Buffer.concat(inputs.map(({ reveal }) => reveal));
    return Buffer.from(hkdfSync('sha256', input, salted, `spmigration/v1 ${label}`, length)).toString('hex');
  };
  const none = new Uint8Array();

  test('labels, inputs and salts are those of the specification', () => {
    using keys = new UserKeys(root);
    expect(toHex(keys.basicUserAuth.reveal)).toBe(derived([root], none, 'basic-user-auth'));
    expect(toHex(keys.vaultAuth.reveal)).toBe(derived([root], none, 'vault-auth'));
    expect(toHex(keys.atRest.reveal)).toBe(derived([root], none, 'at-rest'));
    expect(toHex(keys.innerKey(archive).reveal)).toBe(derived([root], salt, 'duplication-inner-key', 16));
    expect(toHex(keys.innerKey(archive, code).reveal)).toBe(
      derived([root, code], salt, 'duplication-inner-key', 16),
    );
    const { atRest } = keys;
    expect(toHex(keys.archiveKey(vaultKey, archive).reveal)).toBe(
      derived([vaultKey, atRest], salt, 'archive'),
    );
    const withCode = keys.archiveKey(vaultKey, archive, code);
    expect(toHex(withCode.reveal)).toBe(derived([vaultKey, atRest, code], salt, 'archive'));
    const sealed = environmentKey(vaultKey, atRest, salt);
    expect(toHex(sealed.reveal)).toBe(derived([vaultKey, atRest], salt, 'environment'));
    expect(toHex(basicUserKeyWrapper(atRest, salt).reveal)).toBe(derived([atRest], salt, 'buk-wrap'));
  });

  test('an authValue never ends in 0, which a TPM would strip; every other byte stays', () => {
    const ending = (label: string): SecretBytes => {
      for (let i = 0; i < 100_000; i++) {
        const candidate = seededSecret(`root ${i}`);
        if (derived([candidate], none, label).endsWith('00')) return candidate;
      }
      throw new Error('no root found');
    };
    for (const [label, field] of [
      ['basic-user-auth', 'basicUserAuth'],
      ['vault-auth', 'vaultAuth'],
    ] as const) {
      const zeroEnding = ending(label);
      using keys = new UserKeys(zeroEnding);
      expect(toHex(keys[field].reveal)).toBe(derived([zeroEnding], none, label).replace(/00$/, '01'));
    }
    const atRestRoot = ending('at-rest');
    using keys = new UserKeys(atRestRoot);
    expect(toHex(keys.atRest.reveal)).toBe(derived([atRestRoot], none, 'at-rest'));
  });

  test('inputs of another length are a fault of the caller', () => {
    expect(() => new UserKeys(seededSecret('short', 31))).toThrow(RangeError);
    using keys = new UserKeys(root);
    expect(() => keys.innerKey(archive, seededSecret('code', 9))).toThrow(RangeError);
    expect(() => environmentKey(vaultKey, keys.atRest, salt.subarray(1))).toThrow(RangeError);
  });

  test('disposing clears the keys and leaves the root to its owner', () => {
    const own = seededSecret('another root');
    const keys = new UserKeys(own);
    keys.dispose();
    expect(() => keys.atRest.reveal).toThrow();
    expect(() => keys.basicUserAuth.reveal).toThrow();
    expect(() => keys.vaultAuth.reveal).toThrow();
    expect(own.length).toBe(32);
  });
});
