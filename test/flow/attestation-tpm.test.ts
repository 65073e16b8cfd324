/**
 * The proof of hardware on simulated TPMs, through the operations: a TPM with an ECC or RSA storage key answers its owner's
 * challenge, known by its fingerprint or by its manufacturer's certificate, and the keys move there; software that claims to be
 * a TPM, also with a real TPM's help, cannot answer.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ByteWriter } from '../../core/src/bytes/reader.ts';
import { encodePem } from '../../core/src/crypto/pem.ts';
import { generateAgreementKey } from '../../core/src/crypto/ecdh.ts';
import { decodeChallenge } from '../../core/src/format/challenge-v1.ts';
import { decodeIdentity, encodeIdentity } from '../../core/src/format/identity-v1.ts';
import type {
  AccessResult,
  AttestationResult,
  ChallengeResult,
  IdentityResult,
} from '../../core/src/operations/results.ts';
import { decodePublic, type Public } from '../../core/src/tpm2/structures.ts';
import { softwareStorageKey } from '../../core/src/tpm2/templates.ts';
import { makeCertificate } from '../testkit/certificates.ts';
import { certifyEndorsementKey } from '../testkit/endorsement-certificates.ts';
import { hasSwtpm, type Swtpm } from '../testkit/swtpm.ts';
import { Computers, credentialWorks, type ComputerWithChip } from '../testkit/tpm-computers.ts';
import { claimingTpm, spkiOfArea } from '../testkit/tpm-double.ts';
import { ownerPassword, password, rejection } from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const asOwner = { ownerPassword };
const platformHandle = 0x4000000c;
/** NV index of the certificate of the ECC endorsement key, with PPWRITE, PPREAD, AUTHREAD, NO_DA and PLATFORMCREATE. */
const certificateIndex = 0x01c0000a;
const certificateAttributes = 0x00000001 | 0x00010000 | 0x00040000 | 0x02000000 | 0x40000000;

/** TPM2_NV_DefineSpace and TPM2_NV_Write: what a manufacturer does. */
async function putCertificate(tpm: Swtpm, certificate: Uint8Array): Promise<void> {
  const area = new ByteWriter()
    .u32(certificateIndex)
    .u16(0x000b)
    .u32(certificateAttributes)
    .u16(0)
    .u16(certificate.length)
    .done();
  await tpm.command(0x12a, [platformHandle], new ByteWriter().u16(0).sized16(area).done());
  const data = new ByteWriter().sized16(certificate).u16(0).done();
  await tpm.command(0x137, [platformHandle, certificateIndex], data);
}

const exportIdentity = ({ computer }: ComputerWithChip, share: string): Promise<IdentityResult> =>
  computer.one<IdentityResult>('identity-export', { path: share, overwrite: true });

/** Question and answer between two computers. */
async function ask(
  from: ComputerWithChip,
  to: ComputerWithChip,
  share: string,
): Promise<{
  readonly identity: IdentityResult;
  readonly challenge: ChallengeResult;
  readonly answer: AttestationResult;
}> {
  const identity = await exportIdentity(to, share);
  const challenge = await from.computer.one<ChallengeResult>(
    'challenge-new',
    { path: identity.path },
    asOwner,
  );
  const answer = await to.computer.one<AttestationResult>('attestation-export', {
    path: share,
    challengePath: challenge.path,
  });
  return { identity, challenge, answer };
}

function keyIn(publicArea: Uint8Array): Public {
  const area = decodePublic(publicArea);
  if (area === undefined) throw new Error('no public area');
  return area;
}

describe.skipIf(!hasSwtpm())('a TPM', { timeout: 60_000 }, () => {
  it.each(['ECC', 'RSA'] as const)('with an %s storage key proves it, and gets the keys', async (kind) => {
    const computers = await Computers.make();
    const { share } = computers;
    const a = await computers.computer('PC-A', 'ECC');
    const b = await computers.computer('PC-B', kind);
    const { identity, answer } = await ask(a, b, share);
    expect(identity.endorsementFingerprint).toMatch(/^([0-9a-f]{4} ){9}[0-9a-f]{4}$/);
    expect(answer.endorsementFingerprint).toBe(identity.endorsementFingerprint);
    expect(await b.tpm?.leftLoaded()).toEqual([]);

    const proof = {
      attestationPath: answer.path,
      endorsementKeyFingerprint: identity.endorsementFingerprint ?? '',
    };
    const read = { path: identity.path, ...proof };
    expect(await a.computer.one('identity-read', read)).toMatchObject({ proof: 'Attested' });
    const refusal = await rejection(() => a.computer.run('access-grant', { path: identity.path }, asOwner));
    expect(refusal.code).toBe('DestinationNotAttested');
    await a.computer.one<AccessResult>('access-grant', read, asOwner);

    await a.computer.run('user-initialize', {}, { password });
    const made = await a.computer.one<{ credential: string }>(
      'credential-new',
      { subject: 'Anna', algorithm: 'P-256' },
      { password },
    );
    const path = await computers.export(a, b);
    expect(await b.computer.one('import', { path }, { password })).toMatchObject({ case: 'Install' });
    expect(await credentialWorks(b, made.credential)).toBe(await credentialWorks(a, made.credential));
  });

  it('is known by the certificate that its manufacturer put into it', async () => {
    const computers = await Computers.make();
    const { share } = computers;
    const a = await computers.computer('PC-A', 'software');
    const b = await computers.computer('PC-B', 'ECC');
    const bare = await exportIdentity(b, share);
    expect(bare.endorsementCertificate).toBe(false);
    const maker = await makeCertificate('CN=Maker of TPMs', { authority: true, days: 3650 });
    const { key } = (await b.tpm?.chip().endorsement()) ?? { key: new Uint8Array() };
    const certificate = await certifyEndorsementKey(spkiOfArea(keyIn(key)), maker);
    if (b.tpm !== undefined) await putCertificate(b.tpm, certificate);
    const { identity, answer } = await ask(a, b, share);
    expect(identity.endorsementCertificate).toBe(true);
    // It is the same key, and no part of the computer's fingerprint.
    expect(identity.endorsementFingerprint).toBe(bare.endorsementFingerprint);
    expect(identity.fingerprint).toBe(bare.fingerprint);

    const makerPath = join(share, 'maker.pem');
    await writeFile(makerPath, encodePem('CERTIFICATE', maker.certificate));
    const read = { path: identity.path, attestationPath: answer.path };
    expect(
      await a.computer.one('identity-read', { ...read, tpmManufacturerPath: [makerPath] }),
    ).toMatchObject({
      proof: 'Attested',
    });
    const unknown = await rejection(() => a.computer.run('identity-read', read));
    expect(unknown.code).toBe('EndorsementKeyUntrusted');
  });

  it('does not answer for a storage key in software, nor after it was cleared', async () => {
    const computers = await Computers.make();
    const { share } = computers;
    const a = await computers.computer('PC-A', 'software');
    const b = await computers.computer('PC-B', 'ECC');
    const identity = await exportIdentity(b, share);
    // The identity of a key pair in software that says it were in this TPM: the owner cannot see that.
    const honest = decodeIdentity(new Uint8Array(await readFile(identity.path)), 'x');
    const storageKey = claimingTpm(softwareStorageKey(generateAgreementKey()));
    const forged = join(share, 'forged.spid');
    await writeFile(forged, encodeIdentity({ ...honest, storageKey }));
    const { path } = await a.computer.one<ChallengeResult>(
      'challenge-new',
      { path: forged, outputPath: join(share, 'forged.spchallenge') },
      asOwner,
    );
    // The platform sees that it is not asked about its own key; and the TPM itself does not open it.
    const answering = (challengePath: string) => () =>
      b.computer.run('attestation-export', { path: join(share, 'x.spattestation'), challengePath });
    expect((await rejection(answering(path))).code).toBe('CredentialNotForThisChip');
    const { challenge } = decodeChallenge(new Uint8Array(await readFile(path)), path);
    const { credentialBlob, encryptedSecret: secret } = challenge;
    const direct = await rejection(async () => b.tpm?.chip().activateCredential({ credentialBlob, secret }));
    expect(direct.code).toBe('CredentialNotForThisChip');

    const asked = await a.computer.one<ChallengeResult>('challenge-new', { path: identity.path }, asOwner);
    await b.tpm?.clear();
    expect((await rejection(answering(asked.path))).code).toBe('ChipCleared');
  });

  it('with a password on its endorsement hierarchy is exported without endorsement, and can prove nothing', async () => {
    const computers = await Computers.make();
    const { share } = computers;
    const a = await computers.computer('PC-A', 'software');
    const b = await computers.computer('PC-B', 'ECC');
    const { challenge } = await ask(a, b, share);
    await b.tpm?.setHierarchyPassword(0x4000000b, 'endorsement');
    const identity = await exportIdentity(b, share);
    expect(identity).toMatchObject({ proof: 'Claimed', endorsementFingerprint: null });
    expect(b.computer.warnings).toMatchObject([{ code: 'ChipFailed' }]);
    const again = await rejection(() =>
      b.computer.run('attestation-export', { path: share, challengePath: challenge.path, overwrite: true }),
    );
    expect(again.code).toBe('ChipFailed');
    const asking = await rejection(() =>
      a.computer.run('challenge-new', { path: identity.path, overwrite: true }, asOwner),
    );
    expect(asking.code).toBe('IdentityNotEndorsed');
  });
});
