/**
 * Refusals around the proof of a TPM: of the owner's question, of the destination's answer, and of a grant that rests on it.
 * Each condition has its own code and changes nothing. The TPMs are doubles; a real one: `test/flow/attestation-tpm.test.ts`.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fromUtf8, utf8 } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { encodePem } from '../../core/src/crypto/pem.ts';
import type { ErrorCode } from '../../core/src/domain/error-catalogue.ts';
import { decodeAttestation, encodeAttestation } from '../../core/src/format/attestation-v1.ts';
import { decodeIdentity, encodeIdentity } from '../../core/src/format/identity-v1.ts';
import type { ParameterValues } from '../../core/src/operations/registry.ts';
import type {
  AttestationResult,
  AuthorityResult,
  ChallengeResult,
  HistoryEventResult,
  IdentityResult,
} from '../../core/src/operations/results.ts';
import { createAuthority } from '../../core/src/sealing/authority.ts';
import { makeChallenge } from '../../core/src/sealing/challenge.ts';
import { OBJECT } from '../../core/src/tpm2/constants.ts';
import { makeCertificate, testNotBefore, type TestCertificate } from '../testkit/certificates.ts';
import { Computer } from '../testkit/computer.ts';
import { certifyEndorsementKey } from '../testkit/endorsement-certificates.ts';
import { claimingTpm, giveTpm, makeEccEndorsementKey } from '../testkit/tpm-double.ts';
import { ownerPassword, refused } from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const asOwner = { ownerPassword };
const hour = 3600;
const day = 86_400;
const now = testNotBefore + 10 * day;

let folder: string;
let share: string;
/** A and B with TPMs, C with a software chip. */
let a: Computer;
let b: Computer;
let c: Computer;
let maker: TestCertificate;
let identity: IdentityResult;
let software: IdentityResult;
let challenge: ChallengeResult;
let answer: AttestationResult;
let world: { readonly folder: string };

async function makeComputer(name: string, chip: 'Tpm2' | 'Software'): Promise<Computer> {
  const home = join(folder, name);
  await mkdir(home, { mode: 0o700 });
  const computer = await Computer.at(home, { clock: () => now });
  if (chip === 'Tpm2') {
    const key = makeEccEndorsementKey();
    giveTpm(computer, key, await certifyEndorsementKey(key.spki, maker));
  }
  await computer.run('platform-initialize', { chip }, asOwner);
  return computer;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spmigration-attestation-'));
  world = { folder };
  share = join(folder, 'share');
  await mkdir(share, { mode: 0o700 });
  maker = await makeCertificate('CN=Maker of TPMs', { authority: true });
  a = await makeComputer('PC-A', 'Tpm2');
  b = await makeComputer('PC-B', 'Tpm2');
  c = await makeComputer('PC-C', 'Software');
  identity = await b.one<IdentityResult>('identity-export', { path: share });
  software = await c.one<IdentityResult>('identity-export', { path: share });
  challenge = await a.one<ChallengeResult>('challenge-new', { path: identity.path }, asOwner);
  answer = await b.one<AttestationResult>('attestation-export', {
    path: share,
    challengePath: challenge.path,
  });
});
afterAll(() => rm(folder, { recursive: true }));

/** The computer at another time. */
async function later<Value>(computer: Computer, seconds: number, work: () => Promise<Value>): Promise<Value> {
  const before = computer.ports;
  computer.ports = { ...before, clock: () => now + seconds };
  try {
    return await work();
  } finally {
    computer.ports = before;
  }
}

const fileOf = async (name: string, bytes: Uint8Array): Promise<string> => {
  const path = join(share, name);
  await writeFile(path, bytes);
  return path;
};
const read = async (path: string): Promise<Uint8Array> => new Uint8Array(await readFile(path));

const vouched = (): ParameterValues => ({
  attestationPath: answer.path,
  endorsementKeyFingerprint: identity.endorsementFingerprint ?? '',
});
const granting =
  (parameters: ParameterValues, computer = a) =>
  (): Promise<unknown> =>
    computer.run(
      'access-grant',
      { path: identity.path, fingerprint: identity.fingerprint, outputPath: share, ...parameters },
      asOwner,
    );
const reading =
  (parameters: ParameterValues, computer = a) =>
  (): Promise<unknown> =>
    computer.run('identity-read', { path: identity.path, ...parameters });

/** Both who grants and who only looks are refused alike. */
async function bothRefused(code: ErrorCode, parameters: ParameterValues): Promise<string> {
  await refused(world, code, reading(parameters));
  return (await refused(world, code, granting(parameters))).message;
}

describe('a challenge is not made', () => {
  it('for an identity that names no TPM, or only claims one', async () => {
    const making = (path: string) => (): Promise<unknown> => a.run('challenge-new', { path }, asOwner);
    const error = await refused(world, 'IdentityNotEndorsed', making(software.path));
    expect(error.message).toContain('PC-C.spid');
    const claim = decodeIdentity(await read(identity.path), 'x');
    const bare = await fileOf('bare.spid', encodeIdentity({ ...claim, attestation: new Uint8Array() }));
    await refused(world, 'IdentityNotEndorsed', making(bare));
    const loose = claimingTpm(claim.storageKey, OBJECT.fixedTPM);
    const path = await fileOf('loose.spid', encodeIdentity({ ...claim, storageKey: loose }));
    expect((await refused(world, 'StorageKeyNotBound', making(path))).message).toContain('fixedTPM');
    const foreign = encodeIdentity({ ...claim, chip: 'software' });
    await refused(world, 'IdentityMalformed', making(await fileOf('foreign.spid', foreign)));
  });

  it('by anybody but the owner, over a file that exists, or of another kind of platform', async () => {
    const making =
      (computer: Computer, secrets: object, parameters: ParameterValues = {}) =>
      () =>
        computer.run('challenge-new', { path: identity.path, outputPath: share, ...parameters }, secrets);
    await refused(world, 'OutputExists', making(a, asOwner));
    const outputPath = join(share, 'new.spchallenge');
    await refused(world, 'OwnerPasswordRequired', making(a, {}, { outputPath }));
    await refused(world, 'OwnerPasswordRejected', making(c, { ownerPassword: 'wrong' }, { outputPath }));
    const { account } = a.ports;
    a.ports = { ...a.ports, account: { ...account, isAdministrator: () => Promise.resolve(false) } };
    await refused(world, 'NotAdministrator', making(a, asOwner, { outputPath }));
    a.ports = { ...a.ports, account };
    const real = decodeIdentity(await read(identity.path), 'x');
    const path = await fileOf('real.spid', encodeIdentity({ ...real, rehearsal: false }));
    await refused(world, 'RehearsalMixed', making(a, asOwner, { path, outputPath }));
  });
});

describe('a challenge is not answered', () => {
  const answering = (computer: Computer, challengePath: string) => (): Promise<unknown> =>
    computer.run('attestation-export', { path: join(share, 'new.spattestation'), challengePath });

  it('by a software chip, and by another TPM', async () => {
    await refused(world, 'AttestationUnsupported', answering(c, challenge.path));
    await refused(world, 'CredentialNotForThisChip', answering(a, challenge.path));
  });

  it('by a TPM that holds another storage key, or where the credential was made for another one', async () => {
    const signed = fromUtf8(await read(challenge.path)) ?? '';
    expect(signed).toContain('PC-B');
    const { chip } = b.ports;
    const key = makeEccEndorsementKey();
    giveTpm(b, key);
    await refused(world, 'CredentialNotForThisChip', answering(b, challenge.path));
    b.ports = { ...b.ports, chip };
  });

  it('where it was changed, is no challenge, or is not there', async () => {
    const text = fromUtf8(await read(challenge.path)) ?? '';
    const changed = await fileOf('changed.spchallenge', utf8(text.replace('PC-B', 'PC-X')));
    await refused(world, 'SignatureInvalid', answering(b, changed));
    const cut = await fileOf('cut.spchallenge', utf8(text.slice(0, 400)));
    await refused(world, 'ChallengeMalformed', answering(b, cut));
    await refused(world, 'WrongFileKind', answering(b, identity.path));
    await refused(world, 'FileNotFound', answering(b, join(share, 'none.spchallenge')));
  });

  it('where it was made for a real platform', async () => {
    const real = { ...decodeIdentity(await read(identity.path), 'x'), rehearsal: false };
    const by = { authority: createAuthority(), created: now, random: a.ports.random };
    const path = await fileOf('real.spchallenge', makeChallenge(real, 'x', by).bytes);
    await refused(world, 'RehearsalMixed', answering(b, path));
  });

  it('with a secret that the challenger did not know', async () => {
    const before = b.ports;
    const chip = await before.chip('tpm2');
    const wrong = { ...chip, activateCredential: () => Promise.resolve(new SecretBytes(new Uint8Array(32))) };
    b.ports = { ...before, chip: () => Promise.resolve(wrong) };
    await refused(world, 'CredentialNotForThisChip', answering(b, challenge.path));
    b.ports = before;
  });

  it('by anybody but an administrator', async () => {
    const before = b.ports;
    b.ports = { ...before, account: { ...before.account, isAdministrator: () => Promise.resolve(false) } };
    await refused(world, 'NotAdministrator', answering(b, challenge.path));
    b.ports = before;
  });
});

describe('an attestation proves nothing', () => {
  it('of another computer than the identity’s', async () => {
    const own = await a.one<IdentityResult>('identity-export', { path: share, overwrite: true });
    await refused(world, 'AttestationMismatch', reading({ ...vouched(), path: own.path }));
    await refused(world, 'AttestationMismatch', reading({ ...vouched(), path: software.path }));
  });

  it('to another owner than who asked', async () => {
    await refused(world, 'ChallengeNotOurs', reading(vouched(), b));
    await refused(world, 'ChallengeNotOurs', reading(vouched(), c));
  });

  it('where its answer is not the secret, or its challenge was changed', async () => {
    const attestation = decodeAttestation(await read(answer.path), 'x');
    const wrong = encodeAttestation({ ...attestation, answer: new Uint8Array(32) });
    const attestationPath = await fileOf('wrong.spattestation', wrong);
    await bothRefused('AttestationAnswerWrong', { ...vouched(), attestationPath });
    const challengeText = fromUtf8(attestation.challenge) ?? '';
    const renamed = encodeAttestation({
      ...attestation,
      challenge: utf8(challengeText.replace('PC-B', 'PC-C')),
    });
    const changed = await fileOf('renamed.spattestation', renamed);
    await bothRefused('SignatureInvalid', { ...vouched(), attestationPath: changed });
    const text = fromUtf8(await read(answer.path)) ?? '';
    const cut = await fileOf('cut.spattestation', utf8(text.slice(0, 900)));
    await bothRefused('AttestationMalformed', { ...vouched(), attestationPath: cut });
    await bothRefused('WrongFileKind', { ...vouched(), attestationPath: challenge.path });
  });

  it('after thirty days, or before it was asked for', async () => {
    await later(a, 31 * day, () => bothRefused('AttestationExpired', vouched()));
    await later(a, -hour, () => bothRefused('ClockImplausible', vouched()));
    await later(a, 29 * day, async () => {
      expect(await reading(vouched())()).toMatchObject([{ proof: 'Attested' }]);
    });
  });

  it('where nobody vouches for the endorsement key, and says both ways out', async () => {
    const message = await bothRefused('EndorsementKeyUntrusted', { attestationPath: answer.path });
    expect(message).toContain(identity.endorsementFingerprint);
    const other = await makeCertificate('CN=Another Maker', { authority: true });
    const path = await fileOf('other.pem', utf8(encodePem('CERTIFICATE', other.certificate)));
    expect(
      await bothRefused('EndorsementKeyUntrusted', {
        attestationPath: answer.path,
        tpmManufacturerPath: [path],
      }),
    ).toContain('issued by CN=Maker of TPMs');
  });

  it('where another endorsement key was meant, or none is said', async () => {
    const endorsementKeyFingerprint = 'ffff '.repeat(10);
    await bothRefused('EndorsementKeyMismatch', { ...vouched(), endorsementKeyFingerprint });
    await bothRefused('ParameterInvalid', { ...vouched(), endorsementKeyFingerprint: 'abc' });
    await bothRefused('ParameterInvalid', { endorsementKeyFingerprint });
    await bothRefused('ParameterInvalid', { tpmManufacturerPath: [share] });
  });

  it('with certificates that cannot be read, or where there are none', async () => {
    const broken = await fileOf('broken.cer', utf8('no certificate'));
    const by = (path: string): ParameterValues => ({
      attestationPath: answer.path,
      tpmManufacturerPath: [path],
    });
    await bothRefused('CertificateMalformed', by(broken));
    await bothRefused('FileNotFound', by(join(share, 'none.cer')));
    const empty = join(folder, 'empty');
    await mkdir(empty, { mode: 0o700 });
    await bothRefused('ParameterInvalid', by(empty));
    // A folder in which one file is broken is not taken for the rest of it.
    await bothRefused('CertificateMalformed', by(share));
    await rm(broken);
  });

  it('on a computer that has no authority of its own to ask with', async () => {
    const home = join(folder, 'PC-N');
    await mkdir(home, { mode: 0o700 });
    const bare = await Computer.at(home);
    await refused(world, 'PlatformNotInitialized', reading(vouched(), bare));
    // Without an attestation anyone may look.
    expect(await reading({}, bare)()).toMatchObject([{ proof: 'Claimed', attestationPath: null }]);
  });
});

describe('a TPM is proven', () => {
  it('to the owner who asked, by fingerprint or by manufacturer', async () => {
    const attested = { proof: 'Attested', attestationPath: answer.path, endorsementCertificate: true };
    expect(await reading(vouched())()).toMatchObject([attested]);
    const makers = join(folder, 'makers');
    await mkdir(makers, { mode: 0o700 });
    await writeFile(join(makers, 'maker.crt'), encodePem('CERTIFICATE', maker.certificate));
    const by = { attestationPath: answer.path, tpmManufacturerPath: [makers] };
    expect(await reading(by)()).toMatchObject([attested]);
    expect(await reading({ ...by, tpmManufacturerPath: [join(makers, 'maker.crt')] })()).toMatchObject([
      attested,
    ]);
    await writeFile(join(makers, 'maker.der'), maker.certificate);
    expect(await reading(by)()).toMatchObject([attested]);
    expect(await reading({ path: software.path })()).toMatchObject([
      { proof: 'Software', endorsementFingerprint: null, endorsementCertificate: false },
    ]);
  });

  it('to a fleet’s authority on any computer, which keeps nothing between question and answer', async () => {
    const authority = await c.one<AuthorityResult>('authority-new', { path: share, name: 'Fleet' }, asOwner);
    const asked = await c.one<ChallengeResult>(
      'challenge-new',
      { path: identity.path, authorityPath: authority.path, outputPath: join(share, 'fleet.spchallenge') },
      asOwner,
    );
    const answered = await b.one<AttestationResult>('attestation-export', {
      path: join(share, 'fleet.spattestation'),
      challengePath: asked.path,
    });
    const home = join(folder, 'ADMIN');
    await mkdir(home, { mode: 0o700 });
    const admin = await Computer.at(home, { clock: () => now + hour });
    const parameters = {
      ...vouched(),
      attestationPath: answered.path,
      authorityPath: authority.path,
      outputPath: join(share, 'fleet.spgrant'),
    };
    expect(await granting(parameters, admin)()).toMatchObject([{ destination: 'PC-B' }]);
    await refused(
      world,
      'ChallengeNotOurs',
      granting({ ...vouched(), outputPath: share, authorityPath: authority.path }),
    );
  });
});

describe('from a computer with a TPM a grant', () => {
  const lines = async (parameters: ParameterValues, computer = a): Promise<string> => {
    const { plan } = await computer.plan(
      'access-grant',
      { path: identity.path, fingerprint: identity.fingerprint, outputPath: share, ...parameters },
      asOwner,
    );
    return plan.lines.join('\n');
  };

  it('leads to an attested TPM only, and no switch but the one for it says otherwise', async () => {
    expect((await refused(world, 'DestinationNotAttested', granting({}))).message).toContain('claims a TPM');
    const toSoftware = { path: software.path, fingerprint: software.fingerprint };
    expect((await refused(world, 'DestinationNotAttested', granting(toSoftware))).message).toContain(
      'software chip',
    );
    await refused(world, 'DestinationNotAttested', granting({ forced: true, overwrite: true }));
    // A proof that is none is refused also where none would be needed.
    await refused(
      world,
      'EndorsementKeyUntrusted',
      granting({ attestationPath: answer.path, allowUnattested: true }),
    );
  });

  it('to an attested one says by what the TPM is known, and the history, too', async () => {
    const shown = await lines(vouched());
    expect(shown).toContain('(a TPM, attested)');
    expect(shown).toContain(
      `the endorsement key ${identity.endorsementFingerprint ?? ''}, whose fingerprint was compared`,
    );
    await granting(vouched())();
    expect(a.warnings).toEqual([]);
    const [line] = (await a.run<HistoryEventResult>('history')).filter(
      ({ operation, outcome }) => operation === 'access-grant' && outcome === 'ok',
    );
    expect(line?.summary).toMatch(/endorsement: [0-9a-f]{40};.* proof: attested;.* vouchedBy: fingerprint/);
  });

  it('to one that is not says that no chip is known to guard the keys from there on', async () => {
    const allowed = { allowUnattested: true };
    expect(await lines(allowed)).toMatch(/claimed and not proven(.|\n)*no chip is known to guard these keys/);
    expect(a.warnings).toMatchObject([
      { code: 'DestinationNotAttested', message: expect.stringContaining('From PC-B on no chip') as string },
    ]);
    await granting(allowed)();
    expect(a.warnings).toMatchObject([{ code: 'DestinationNotAttested' }]);
    const summaries = (await a.run<HistoryEventResult>('history')).map(({ summary }) => summary);
    const gaveUp = summaries.filter((summary) => summary.includes('guard: given up'));
    expect(gaveUp).toEqual([expect.stringContaining('proof: claimed')]);
  });

  it('is another plan where the proof is another', async () => {
    const idOf = async (parameters: ParameterValues): Promise<string> =>
      (await a.plan('access-grant', { path: identity.path, outputPath: share, ...parameters }, asOwner))
        .planId;
    const before = await idOf(vouched());
    expect(await idOf(vouched())).toBe(before);
    const again = await b.one<AttestationResult>('attestation-export', {
      path: answer.path,
      challengePath: challenge.path,
      overwrite: true,
    });
    expect(basename(again.path)).toBe('PC-B.spattestation');
    // The same answer at the same time: the same file, and the same plan.
    expect(await idOf(vouched())).toBe(before);
    await later(b, hour, () =>
      b.run('attestation-export', { path: answer.path, challengePath: challenge.path, overwrite: true }),
    );
    expect(await idOf(vouched())).not.toBe(before);
  });

  it('of a software chip needs no proof, as nothing is given up', async () => {
    expect(await lines({}, c)).not.toContain('no chip is known');
    expect(await granting({}, c)()).toMatchObject([{ destination: 'PC-B' }]);
    expect(c.warnings).toEqual([]);
  });
});

describe('an identity', () => {
  it('is exported without endorsement, and with a warning, where a TPM has no endorsement key', async () => {
    const before = b.ports;
    const chip = await before.chip('tpm2');
    const unable = { ...chip, endorsement: () => c.ports.chip('software').then((one) => one.endorsement()) };
    b.ports = { ...before, chip: () => Promise.resolve(unable) };
    const path = join(share, 'unable.spid');
    const exported = await b.one<IdentityResult>('identity-export', { path });
    expect(exported).toMatchObject({ proof: 'Claimed', endorsementFingerprint: null });
    expect(b.warnings).toMatchObject([{ code: 'AttestationUnsupported' }]);
    b.ports = before;
  });
});
