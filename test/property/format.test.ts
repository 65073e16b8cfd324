/**
 * What holds for all inputs of the codecs: what is written reads back; whatever bytes a decoder accepts are exactly those
 * its encoder writes; anything else ends in a catalogue error of class integrity, unsupported or limit, never in
 * another exception. `SLOW=1` runs ten times as many cases.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, toHex } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import type { Credential, PrivatePart, PublicPart } from '../../core/src/domain/environment.ts';
import { errorCatalogue } from '../../core/src/domain/error-catalogue.ts';
import { isSPMigrationError } from '../../core/src/domain/error.ts';
import type { Grant, KeyApproval, RevocationList } from '../../core/src/domain/grant.ts';
import { hexDigits, toId } from '../../core/src/domain/ids.ts';
import type { Account, Identity } from '../../core/src/domain/platform.ts';
import type { Receipt } from '../../core/src/domain/receipt.ts';
import {
  decodePrivatePart,
  decodePublicPart,
  encodePrivatePart,
  encodePublicPart,
} from '../../core/src/format/generation-v1.ts';
import { appendSignature, decodeGrant, encodeGrantBody } from '../../core/src/format/grant-v1.ts';
import { decodeAttestation, encodeAttestation } from '../../core/src/format/attestation-v1.ts';
import { decodeChallenge, encodeChallengeBody } from '../../core/src/format/challenge-v1.ts';
import { decodeEndorsement, encodeEndorsement } from '../../core/src/format/endorsement-v1.ts';
import { decodeIdentity, encodeIdentity } from '../../core/src/format/identity-v1.ts';
import { decodeManifest, encodeManifest } from '../../core/src/format/manifest-v1.ts';
import { decodeReceipt, encodeReceipt } from '../../core/src/format/receipt-v1.ts';
import { decodeRegistration, encodeRegistration } from '../../core/src/format/registration-v1.ts';
import { decodeRevocationList, encodeRevocationListBody } from '../../core/src/format/revocation-list-v1.ts';
import { codecs, type CodecName } from '../testkit/codecs.ts';
import { validFiles } from '../testkit/format-files.ts';
import { sampleManifest, sampleReceipt, sampleSignature, sampleSigner } from '../testkit/format-samples.ts';

const runs = (count: number): { numRuns: number } => ({
  numRuns: process.env.SLOW === '1' ? count * 10 : count,
});

// Arbitrary values, as the domain allows them.

const bytesOf = (minLength: number, maxLength = minLength): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength });
const hex = (digits: number): fc.Arbitrary<string> => bytesOf(digits / 2).map(toHex);
function idOf<Kind extends keyof typeof hexDigits>(kind: Kind): fc.Arbitrary<ReturnType<typeof toId<Kind>>> {
  return hex(hexDigits[kind]).map((digits) =>
    toId(kind, kind === 'TpmName' ? `000b${digits.slice(4)}` : digits),
  );
}
const text = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength })
    .filter(
      (value) =>
        !/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(value) && value.isWellFormed(),
    )
    // The longest line still holds it: an escape takes up to ten characters.
    .filter((value) => Array.from(value).length <= 90);
const instant = fc.integer({ min: 0, max: 253_402_300_799 });
const publicArea = bytesOf(1, 300);
const signature = bytesOf(64);
const signer = idOf('AuthorityFingerprint');
const sortedIds = <T extends string>(id: fc.Arbitrary<T>, minLength = 0): fc.Arbitrary<readonly T[]> =>
  fc.uniqueArray(id, { minLength, maxLength: 6 }).map((ids) => ids.sort());
const accountId = fc.oneof(
  fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `sid:S-1-5-${String(a)}-${String(b)}`),
  fc.tuple(fc.nat(), hex(20)).map(([uid, platform]) => `uid:${String(uid)}@${platform}`),
);
const account: fc.Arbitrary<Account> = fc.record(
  { id: accountId, name: text(40), upn: text(40) },
  { requiredKeys: ['id', 'name'] },
);

const identity: fc.Arbitrary<Identity> = fc.record({
  computer: text(40),
  chip: fc.constantFrom('tpm2', 'software'),
  rehearsal: fc.boolean(),
  storageKey: publicArea,
  authorityKey: publicArea,
  attestation: bytesOf(0, 2000),
  created: instant,
});

const keyApprovals: fc.Arbitrary<readonly KeyApproval[]> = fc
  .uniqueArray(fc.record({ basicUserKey: idOf('TpmName'), nonce: bytesOf(16), signature }), {
    maxLength: 5,
    selector: ({ basicUserKey }) => basicUserKey,
  })
  .map((approvals) => approvals.sort((a, b) => (a.basicUserKey < b.basicUserKey ? -1 : 1)));

const broadGrant: fc.Arbitrary<Grant> = fc
  .record({
    serial: idOf('GrantSerial'),
    rehearsal: fc.boolean(),
    authority: publicArea,
    source: fc.oneof(fc.constant('any' as const), sortedIds(idOf('TpmName'), 1)),
    destinationComputer: text(40),
    destinationFingerprint: idOf('IdentityFingerprint'),
    destinationKey: publicArea,
    user: fc.oneof(fc.constant('any' as const), sortedIds(accountId, 1)),
    times: fc.tuple(instant, instant).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
    onward: fc.oneof(fc.constant('no' as const), keyApprovals),
    move: keyApprovals,
    approval: signature,
    historyHead: fc.oneof(bytesOf(0), bytesOf(32)),
  })
  .map(({ times: [notBefore, notAfter], approval, ...rest }) => ({
    ...rest,
    basicUserKey: 'any',
    notBefore,
    notAfter,
    approval: [{ basicUserKey: 'any', signature: approval }],
  }));

/** Narrows a grant to the keys of its approvals. */
const grant: fc.Arbitrary<Grant> = fc
  .tuple(broadGrant, keyApprovals, fc.boolean())
  .map(([broad, approvals, narrow]) => {
    if (!narrow || approvals.length + broad.move.length === 0) return broad;
    const approval = approvals.map(({ basicUserKey, signature }) => ({ basicUserKey, signature }));
    const names = new Set([...approval, ...broad.move].map(({ basicUserKey }) => basicUserKey));
    return { ...broad, approval, basicUserKey: [...names].sort() };
  });

const revocationList: fc.Arbitrary<RevocationList> = fc.record({
  authority: publicArea,
  rehearsal: fc.boolean(),
  number: fc.integer({ min: 1, max: 0xffff_ffff }),
  issued: instant,
  revoked: fc
    .uniqueArray(fc.record({ serial: idOf('GrantSerial'), reason: fc.oneof(fc.constant(''), text(60)) }), {
      maxLength: 5,
      selector: ({ serial }) => serial,
    })
    .map((revoked) => revoked.sort((a, b) => (a.serial < b.serial ? -1 : 1))),
});

const credential: fc.Arbitrary<Credential> = fc
  .record({
    id: idOf('CredentialId'),
    label: fc.string({ unit: 'grapheme', maxLength: 40 }),
    publicKey: bytesOf(0, 200),
    origin: fc.constantFrom('pfx', 'store', 'new', 'migration'),
    added: instant,
    chain: fc.array(bytesOf(0, 60), { maxLength: 10 }),
    main: bytesOf(0, 200),
    pending: fc.boolean(),
  })
  .map(({ chain, main, pending, ...rest }) => ({
    ...rest,
    certificate: pending ? undefined : main,
    request: pending ? main : undefined,
    chain: pending ? [] : chain,
    protection: 'vault',
  }));

const publicPart: fc.Arbitrary<PublicPart> = fc
  .uniqueArray(credential, { maxLength: 6, selector: ({ id }) => id })
  .map((credentials) => credentials.sort((a, b) => (a.id < b.id ? -1 : 1)))
  .chain((credentials) => {
    const assignment =
      credentials.length === 0
        ? fc.constant({})
        : fc.record(
            Object.fromEntries(
              ['SecureEmail', 'Efs', 'SecureDrive'].map((name) => [
                name,
                fc.constantFrom(...credentials.map(({ id }) => id)),
              ]),
            ),
            { requiredKeys: [] },
          );
    return fc.record({
      credentials: fc.constant(credentials),
      features: assignment,
      proposed: assignment,
      rootAuthority: publicArea,
      grants: fc.array(bytesOf(0, 100), { maxLength: 5 }),
    });
  });

const numbered = <Name extends string, Id extends string>(name: Name, id: fc.Arbitrary<Id>) =>
  fc
    .uniqueArray(id, { maxLength: 5 })
    .map((ids) => ids.sort().map((one) => ({ [name]: one }) as Record<Name, Id>));
const few = fc.nat({ max: 20_000 });
/** Only a merge continues a key and meets what is there; only a replace sets aside. */
const receipt: fc.Arbitrary<Receipt> = fc
  .record({
    computers: fc.tuple(text(40), text(40)),
    account,
    case: fc.constantFrom('install', 'merge', 'replace'),
    rekey: fc.boolean(),
    generation: fc.integer({ min: 1, max: 0xffff_ffff }),
    counts: fc.record({ Add: few, Activate: few, Retain: few, Unchanged: few, SetAside: few, Skip: few }),
    historyHead: fc.oneof(bytesOf(0), bytesOf(32)),
  })
  .map(({ computers: [sourceComputer, destinationComputer], rekey, counts, ...rest }) => ({
    ...sampleReceipt,
    ...rest,
    sourceComputer,
    destinationComputer,
    rekey: rest.case === 'merge' && rekey,
    counts:
      rest.case === 'merge'
        ? { ...counts, SetAside: 0 }
        : {
            Add: counts.Add,
            Activate: 0,
            Retain: 0,
            Unchanged: 0,
            SetAside: rest.case === 'replace' ? counts.SetAside : 0,
            Skip: 0,
          },
  }));
const number32 = fc.integer({ min: 0, max: 0xffff_ffff });
const privatePart: fc.Arbitrary<PrivatePart> = fc
  .record({
    keys: fc.uniqueArray(fc.tuple(idOf('CredentialId'), bytesOf(0, 200)), {
      maxLength: 5,
      selector: ([id]) => id,
    }),
    archives: numbered('archive', idOf('ArchiveId')),
    authorities: numbered('authority', signer),
    source: idOf('TpmName'),
    number: number32,
    tombstones: sortedIds(idOf('CredentialId')),
    replaces: sortedIds(idOf('TpmName')),
  })
  .map(({ keys, archives, authorities, source, number, tombstones, replaces }) => ({
    keys: new Map(keys.sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, key]) => [id, new SecretBytes(key)])),
    importedArchives: archives.map(({ archive }) => ({ archive, source, generation: number })),
    revocationNumbers: authorities.map(({ authority }) => ({ authority, number })),
    tombstones,
    replaces,
  }));
const revealed = (part: PrivatePart): unknown => ({
  ...part,
  keys: [...part.keys].map(([id, key]) => [id, key.reveal]),
});

describe('decode ∘ encode is the identity', () => {
  test('identity', () => {
    fc.assert(
      fc.property(identity, (value) => {
        expect(decodeIdentity(encodeIdentity(value), 'x')).toEqual(value);
      }),
      runs(100),
    );
  });
  test('grant', () => {
    fc.assert(
      fc.property(grant, signer, signature, (value, by, signed) => {
        const bytes = appendSignature(encodeGrantBody(value), by, signed);
        expect(decodeGrant(bytes, 'x')).toEqual({ grant: value, signer: by, signature: signed, bytes });
      }),
      runs(100),
    );
  });
  test('revocation list', () => {
    fc.assert(
      fc.property(revocationList, (value) => {
        const bytes = appendSignature(encodeRevocationListBody(value), sampleSigner, sampleSignature);
        expect(decodeRevocationList(bytes, 'x').list).toEqual(value);
      }),
      runs(100),
    );
  });
  test('challenge', () => {
    const challenge = fc.record({
      authority: publicArea,
      rehearsal: fc.boolean(),
      destinationComputer: text(40),
      destinationKey: publicArea,
      endorsementKey: publicArea,
      created: instant,
      commitment: bytesOf(32),
      credentialBlob: bytesOf(68),
      encryptedSecret: fc.oneof(bytesOf(68), bytesOf(256)),
    });
    fc.assert(
      fc.property(challenge, signer, signature, (value, by, signed) => {
        const bytes = appendSignature(encodeChallengeBody(value), by, signed);
        expect(decodeChallenge(bytes, 'x')).toEqual({
          challenge: value,
          signer: by,
          signature: signed,
          bytes,
        });
      }),
      runs(60),
    );
  });
  test('attestation', () => {
    const attestation = fc.record({ challenge: bytesOf(1, 2000), answer: bytesOf(32), created: instant });
    fc.assert(
      fc.property(attestation, (value) => {
        expect(decodeAttestation(encodeAttestation(value), 'x')).toEqual(value);
      }),
      runs(60),
    );
  });
  test('endorsement', () => {
    const endorsement = fc.record({
      key: bytesOf(1, 400),
      certificate: fc.oneof(fc.constant(undefined), bytesOf(1, 2000)),
    });
    fc.assert(
      fc.property(endorsement, (value) => {
        expect(decodeEndorsement(encodeEndorsement(value), 'x')).toEqual(value);
      }),
      runs(60),
    );
  });
  test('registration', () => {
    const registration = fc.record({
      account,
      rehearsal: fc.boolean(),
      basicUserKey: publicArea,
      nonce: bytesOf(16),
      rootAuthority: publicArea,
      grants: fc.array(bytesOf(1, 1200), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(registration, (value) => {
        expect(decodeRegistration(encodeRegistration(value), 'x')).toEqual(value);
      }),
      runs(60),
    );
  });
  test('manifest', () => {
    const manifest = fc.record({
      account,
      sourceComputer: text(40),
      replaces: sortedIds(idOf('TpmName')),
      created: instant,
      transferCode: fc.boolean(),
    });
    fc.assert(
      fc.property(manifest, (change) => {
        const value = { ...sampleManifest, ...change };
        expect(decodeManifest(encodeManifest(value), 'x')).toEqual(value);
      }),
      runs(60),
    );
  });
  test('receipt', () => {
    fc.assert(
      fc.property(receipt, (value) => {
        expect(decodeReceipt(encodeReceipt(value), 'x')).toEqual(value);
      }),
      runs(60),
    );
  });
  test('public part', () => {
    fc.assert(
      fc.property(publicPart, (value) => {
        expect(decodePublicPart(encodePublicPart(value), 'x')).toEqual(value);
      }),
      runs(100),
    );
  });
  test('private part', () => {
    fc.assert(
      fc.property(privatePart, (value) => {
        expect(revealed(decodePrivatePart(encodePrivatePart(value).reveal, 'x'))).toEqual(revealed(value));
      }),
      runs(100),
    );
  });
});

const names = Object.keys(codecs) as CodecName[];

/** Answers true where the codec gave the same bytes, false where it refused in the right way; throws otherwise. */
async function accepts(name: CodecName, bytes: Uint8Array): Promise<boolean> {
  let again: Uint8Array;
  try {
    again = await codecs[name](bytes, 'x');
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    expect(['integrity', 'unsupported', 'limit']).toContain(errorCatalogue[error.code].class);
    return false;
  }
  expect(Buffer.compare(again, bytes)).toBe(0);
  return true;
}

/** One change somewhere: a bit, a byte, a piece removed, doubled, inserted or moved. */
const change: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc
  .record({
    kind: fc.nat({ max: 6 }),
    where: fc.double({ min: 0, max: 0.9999, noNaN: true }),
    to: fc.double({ min: 0, max: 0.9999, noNaN: true }),
    byte: fc.nat({ max: 255 }),
    length: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ kind, where, to, byte, length }) => (bytes) => {
    const at = Math.floor(where * bytes.length);
    const changed = bytes.slice();
    switch (kind) {
      case 0:
        changed[at] = (changed[at] ?? 0) ^ (1 << (byte % 8));
        return changed;
      case 1:
        changed[at] = byte;
        return changed;
      case 2:
        return bytes.slice(0, at);
      case 3:
        return concat(bytes.slice(0, at), bytes.slice(at + length));
      case 4:
        return concat(bytes.slice(0, at + length), bytes.slice(at));
      case 5:
        return concat(bytes.slice(0, at), new Uint8Array(length).fill(byte), bytes.slice(at));
      default: {
        const source = Math.floor(to * bytes.length);
        changed.set(bytes.slice(source, source + length).slice(0, bytes.length - at), at);
        return changed;
      }
    }
  });

/** Lines removed, doubled or exchanged: what a text editor would do. */
const lineChange: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc
  .record({ kind: fc.nat({ max: 2 }), first: fc.nat({ max: 40 }), second: fc.nat({ max: 40 }) })
  .map(({ kind, first, second }) => (bytes) => {
    const lines = Buffer.from(bytes).toString('latin1').split('\n');
    const a = first % lines.length;
    const b = second % lines.length;
    if (kind === 0) lines.splice(a, 1);
    else if (kind === 1) lines.splice(a, 0, lines[b] ?? '');
    else [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
    return Uint8Array.from(Buffer.from(lines.join('\n'), 'latin1'));
  });

describe.each(names)('%s', (name) => {
  test('accepts the valid ones', async () => {
    for (const bytes of validFiles[name]) expect(await accepts(name, bytes)).toBe(true);
  });
  test('accepts no changed bytes but canonical ones', async () => {
    const changes = fc.oneof({ weight: 4, arbitrary: change }, { weight: 1, arbitrary: lineChange });
    const runsHere = name === 'archive' ? 60 : 400;
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...validFiles[name]), changes, async (bytes, apply) => {
        await accepts(name, apply(bytes));
      }),
      runs(runsHere),
    );
  });
  test('refuses any bytes behind its kind line', async () => {
    const head = (validFiles[name][0] ?? new Uint8Array()).slice(0, name === 'private-part' ? 0 : 40);
    await fc.assert(
      fc.asyncProperty(bytesOf(0, 300), async (bytes) => {
        await accepts(name, bytes);
        await accepts(name, concat(head, bytes));
      }),
      runs(60),
    );
  });
});

test('any bit flip in a text kind without free bytes is refused or canonical, exhaustively', async () => {
  for (const name of ['sums', 'authority-public', 'owner-password-backup'] as const) {
    const bytes = validFiles[name][0] ?? new Uint8Array();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await accepts(name, changed);
    }
  }
});
