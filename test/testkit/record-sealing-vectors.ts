/**
 * Makes `test/vectors/sealing/v1.json` anew: `node test/testkit/record-sealing-vectors.ts`. Needed only where a format or
 * construction changes before its first release; afterwards the recorded files must open for ever, so nothing of v1 may
 * change. Signatures and ECC keys are random, so each run makes other, equally valid vectors.
 */
import { writeFileSync } from 'node:fs';
import { toBase64, toHex } from '../../core/src/bytes/bytes.ts';
import { encodeIdentity } from '../../core/src/format/identity-v1.ts';
import { sealArchive } from '../../core/src/sealing/archive.ts';
import { sealAuthority } from '../../core/src/sealing/authority.ts';
import { encodeAuthorityFile } from '../../core/src/format/authority-v1.ts';
import { authorityFingerprint, credentialIdOf, platformIdsOf } from '../../core/src/sealing/fingerprints.ts';
import { chainFor, signRevocationList } from '../../core/src/sealing/grants.ts';
import { sealBasicUserKey, sealGeneration } from '../../core/src/sealing/environment.ts';
import { basicUserKeyPolicy } from '../../core/src/sealing/basic-user-key.ts';
import { basicUserKeyWrapper, environmentKey } from '../../core/src/sealing/user-keys.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { makeArchive } from './sealed-archive.ts';
import {
  grantFrom,
  makeHeader,
  makePlatform,
  register,
  seededBytes,
  seededSecret,
  testTime,
} from './sealing.ts';

const made = makeArchive();
const { source, destination, key, user, environment, content } = made;
const { keys, vaultKey } = user;
const further = makePlatform('PC-C');
const held = content.grants;
const onward = grantFrom(destination, further, { registrations: [register(key, held)] });
const chain = chainFor({
  held,
  candidate: onward,
  basicUserKey: key.public,
  nonce: key.nonce,
  rootAuthority: key.rootAuthority,
});
const code = seededSecret('transfer code', 10);
const archiveId = content.manifest.archive;
const plain = makeHeader(key);
const blob = seededBytes('chip blob', 150);
const header = {
  ...plain,
  basicUserKeyPrivate: sealBasicUserKey(blob, key.public, plain.keySalt, 'software', keys.atRest),
};
const owner = { root: seededSecret('owner'), salt: seededBytes('salt', 16) };
const backupKey = seededSecret('backup');
const random = (length: number): Uint8Array => seededBytes(`nonce ${toHex(source.authority.public)}`, length);
const revocations = signRevocationList(
  {
    rehearsal: true,
    number: 3,
    issued: testTime,
    revoked: [{ serial: onward.grant.serial, reason: 'lost' }],
  },
  source.authority,
);
const credential = {
  publicKey: seededBytes('mail public', 91),
  certificate: seededBytes('mail certificate', 300),
};
const branches = chain.branches.map(toHex);

writeFileSync(
  new URL('../vectors/sealing/v1.json', import.meta.url),
  `${JSON.stringify(
    {
      identity: {
        file: toBase64(encodeIdentity(destination.identity)),
        ...platformIdsOf(destination.identity),
        authority: authorityFingerprint(destination.identity.authorityKey),
      },
      authority: {
        file: toBase64(
          encodeAuthorityFile(sealAuthority(source.authority, { owner, backupKey, random, rehearsal: true })),
        ),
        fingerprint: authorityFingerprint(source.authority.public),
        ownerRoot: toHex(owner.root.reveal),
        backupKey: toHex(backupKey.reveal),
        privateKey: toHex(source.authority.privateKey.reveal),
      },
      basicUserKey: {
        public: toBase64(key.public),
        nonce: toHex(key.nonce),
        name: key.name,
        rootAuthorityName: toHex(nameOf(key.rootAuthority)),
        policy: toHex(basicUserKeyPolicy(key.rootAuthority, key.nonce)),
        branches,
      },
      credential: {
        publicKey: toBase64(credential.publicKey),
        certificate: toBase64(credential.certificate),
        id: credentialIdOf(credential.publicKey, credential.certificate),
        idWithoutCertificate: credentialIdOf(credential.publicKey, undefined),
      },
      userKeys: {
        root: toHex(seededBytes('root of anna', 32)),
        vaultKey: toHex(vaultKey.reveal),
        archive: archiveId,
        keySalt: toHex(header.keySalt),
        transferCode: toHex(code.reveal),
        basicUserAuth: toHex(keys.basicUserAuth.reveal),
        vaultAuth: toHex(keys.vaultAuth.reveal),
        atRest: toHex(keys.atRest.reveal),
        innerKey: toHex(keys.innerKey(archiveId).reveal),
        innerKeyWithCode: toHex(keys.innerKey(archiveId, code).reveal),
        archiveKey: toHex(keys.archiveKey(vaultKey, archiveId).reveal),
        archiveKeyWithCode: toHex(keys.archiveKey(vaultKey, archiveId, code).reveal),
        environmentKey: toHex(environmentKey(vaultKey, keys.atRest, header.keySalt).reveal),
        basicUserKeyWrapper: toHex(basicUserKeyWrapper(keys.atRest, header.keySalt).reveal),
      },
      chain: {
        grants: chain.grants.map(({ bytes }) => toBase64(bytes)),
        steps: chain.steps.map(({ authority, approvedPolicy, policyRef, signature }) => ({
          authority: toBase64(authority),
          approvedPolicy: toHex(approvedPolicy),
          policyRef: toHex(policyRef),
          signature: toBase64(signature),
        })),
      },
      revocationList: { file: toBase64(revocations.bytes), revoked: onward.grant.serial },
      generation: {
        file: toBase64(sealGeneration(header, environment, { vaultKey, atRest: keys.atRest })),
        blob: toBase64(blob),
      },
      archive: Object.fromEntries(
        Object.entries(sealArchive(content)).map(([entry, bytes]) => [entry, toBase64(bytes)]),
      ),
      credentialKeys: Object.fromEntries(
        [...environment.privatePart.keys].map(([id, privateKey]) => [id, toHex(privateKey.reveal)]),
      ),
    },
    undefined,
    2,
  )}\n`,
);
