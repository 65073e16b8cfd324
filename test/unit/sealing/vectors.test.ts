/**
 * Recorded files of version 1 (`test/vectors/sealing/v1.json`): they must open, verify and derive the same for ever. What is
 * deterministic is also made again and must be the same byte for byte.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromBase64, fromHex, toBase64, toHex } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import type { ArchiveParts } from '../../../core/src/domain/archive.ts';
import { toId } from '../../../core/src/domain/ids.ts';
import { decodeAuthorityFile } from '../../../core/src/format/authority-v1.ts';
import { decodeGeneration } from '../../../core/src/format/generation-v1.ts';
import { decodeGrant } from '../../../core/src/format/grant-v1.ts';
import { decodeIdentity } from '../../../core/src/format/identity-v1.ts';
import { decodeRevocationList } from '../../../core/src/format/revocation-list-v1.ts';
import { openArchive, readArchive, sealArchive } from '../../../core/src/sealing/archive.ts';
import { openAuthority } from '../../../core/src/sealing/authority.ts';
import { basicUserKeyPolicy } from '../../../core/src/sealing/basic-user-key.ts';
import { openBasicUserKey, openGeneration, sealGeneration } from '../../../core/src/sealing/environment.ts';
import {
  authorityFingerprint,
  credentialIdOf,
  platformIdsOf,
  tpmName,
} from '../../../core/src/sealing/fingerprints.ts';
import { verifyChain, verifyRevocationList } from '../../../core/src/sealing/grants.ts';
import { checkIdentity } from '../../../core/src/sealing/identity.ts';
import { basicUserKeyWrapper, environmentKey, UserKeys } from '../../../core/src/sealing/user-keys.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { revealed } from '../../testkit/sealing.ts';

interface Vectors {
  readonly identity: Record<'file' | 'storageKeyName' | 'platformId' | 'fingerprint' | 'authority', string>;
  readonly authority: Record<'file' | 'fingerprint' | 'ownerRoot' | 'backupKey' | 'privateKey', string>;
  readonly basicUserKey: Record<'public' | 'nonce' | 'name' | 'rootAuthorityName' | 'policy', string> & {
    readonly branches: readonly string[];
  };
  readonly credential: Record<'publicKey' | 'certificate' | 'id' | 'idWithoutCertificate', string>;
  readonly userKeys: Readonly<Record<string, string>>;
  readonly chain: {
    readonly grants: readonly string[];
    readonly steps: readonly Record<'authority' | 'approvedPolicy' | 'policyRef' | 'signature', string>[];
  };
  readonly revocationList: Record<'file' | 'revoked', string>;
  readonly generation: Record<'file' | 'blob', string>;
  readonly archive: Readonly<Record<keyof ArchiveParts, string>>;
  readonly credentialKeys: Readonly<Record<string, string>>;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/sealing/v1.json', import.meta.url), 'utf8'),
) as Vectors;

const hex = (text = ''): Uint8Array => fromHex(text) ?? expect.fail('not hex');
const base64 = (text: string): Uint8Array => fromBase64(text) ?? expect.fail('not base64');
const secret = (text = ''): SecretBytes => new SecretBytes(hex(text));

const { userKeys, basicUserKey } = vectors;
const keys = new UserKeys(secret(userKeys.root));
const vaultKey = secret(userKeys.vaultKey);
const archiveId = toId('ArchiveId', userKeys.archive ?? '');
const parts = Object.fromEntries(
  Object.entries(vectors.archive).map(([entry, bytes]) => [entry, base64(bytes)]),
) as ArchiveParts;

describe('recorded files of version 1', () => {
  test('identity', () => {
    const { file, authority, ...ids } = vectors.identity;
    const identity = decodeIdentity(base64(file), 'v');
    checkIdentity(identity, 'v');
    expect(platformIdsOf(identity)).toEqual(ids);
    expect(authorityFingerprint(identity.authorityKey)).toBe(authority);
  });

  test('authority file, by password and by backup', () => {
    const file = decodeAuthorityFile(base64(vectors.authority.file), 'v');
    expect(authorityFingerprint(file.publicKey)).toBe(vectors.authority.fingerprint);
    for (const by of [
      { ownerRoot: secret(vectors.authority.ownerRoot) },
      { backupKey: secret(vectors.authority.backupKey) },
    ]) {
      using opened = openAuthority(file, by, 'v');
      expect(toHex(opened.privateKey.reveal)).toBe(vectors.authority.privateKey);
    }
  });

  test('Basic User Key and credential', () => {
    const [grant = ''] = vectors.chain.grants;
    const root = decodeGrant(base64(grant), 'v').grant.authority;
    expect(tpmName(base64(basicUserKey.public))).toBe(basicUserKey.name);
    expect(toHex(nameOf(root))).toBe(basicUserKey.rootAuthorityName);
    expect(toHex(basicUserKeyPolicy(root, hex(basicUserKey.nonce)))).toBe(basicUserKey.policy);
    const { publicKey, certificate, id, idWithoutCertificate } = vectors.credential;
    expect(credentialIdOf(base64(publicKey), base64(certificate))).toBe(id);
    expect(credentialIdOf(base64(publicKey), undefined)).toBe(idWithoutCertificate);
  });

  test('derived keys', () => {
    const code = secret(userKeys.transferCode);
    const keySalt = hex(userKeys.keySalt);
    const derived = {
      basicUserAuth: keys.basicUserAuth,
      vaultAuth: keys.vaultAuth,
      atRest: keys.atRest,
      innerKey: keys.innerKey(archiveId),
      innerKeyWithCode: keys.innerKey(archiveId, code),
      archiveKey: keys.archiveKey(vaultKey, archiveId),
      archiveKeyWithCode: keys.archiveKey(vaultKey, archiveId, code),
      environmentKey: environmentKey(vaultKey, keys.atRest, keySalt),
      basicUserKeyWrapper: basicUserKeyWrapper(keys.atRest, keySalt),
    };
    expect(
      Object.fromEntries(Object.entries(derived).map(([name, key]) => [name, toHex(key.reveal)])),
    ).toEqual(Object.fromEntries(Object.keys(derived).map((name) => [name, userKeys[name]])));
  });

  test('a chain of two grants', () => {
    const grants = vectors.chain.grants.map((file, index) => decodeGrant(base64(file), `grant ${index + 1}`));
    const request = { grants, basicUserKey: base64(basicUserKey.public), nonce: hex(basicUserKey.nonce) };
    const { steps, branches, rootAuthority } = verifyChain(request, 'v');
    expect(
      steps.map(({ authority, approvedPolicy, policyRef, signature }) => ({
        authority: toBase64(authority),
        approvedPolicy: toHex(approvedPolicy),
        policyRef: toHex(policyRef),
        signature: toBase64(signature),
      })),
    ).toEqual(vectors.chain.steps);
    expect(branches.map(toHex)).toEqual(basicUserKey.branches);
    expect(authorityFingerprint(rootAuthority)).toBe(vectors.authority.fingerprint);
  });

  test('a revocation list', () => {
    const signed = decodeRevocationList(base64(vectors.revocationList.file), 'v');
    verifyRevocationList(signed, 'v');
    expect(signed.signer).toBe(vectors.authority.fingerprint);
    expect(signed.list.revoked.map(({ serial }) => serial)).toEqual([vectors.revocationList.revoked]);
  });

  test('a generation, opened and made again', () => {
    const file = base64(vectors.generation.file);
    const decoded = decodeGeneration(file, 'v');
    const opening = { vaultKey, atRest: keys.atRest };
    const environment = openGeneration(decoded, opening, 'v');
    expect(revealed(environment)).toEqual(vectors.credentialKeys);
    expect(toBase64(openBasicUserKey(decoded.header, 'software', keys.atRest, 'v'))).toBe(
      vectors.generation.blob,
    );
    expect(sealGeneration(decoded.header, environment, opening)).toEqual(file);
  });

  test('an archive, opened and made again', () => {
    const read = readArchive(parts, 'v');
    verifyChain({ grants: read.grants, basicUserKey: read.basicUserKey, nonce: read.manifest.nonce }, 'v');
    const archiveKey = keys.archiveKey(vaultKey, archiveId);
    const environment = openArchive(read, archiveKey, 'v');
    expect(revealed(environment)).toEqual(vectors.credentialKeys);
    expect(sealArchive({ ...read, environment, archiveKey })).toEqual(parts);
  });
});
