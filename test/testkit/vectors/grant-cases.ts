/** Vectors of grants and revocation lists: their form, their signatures, and whether they permit a move. */
import { concat, fromHex, fromUtf8, toBase64, toHex } from '../../../core/src/bytes/bytes.ts';
import { p256Order } from '../../../core/src/crypto/p256.ts';
import type { ErrorCode } from '../../../core/src/domain/error-catalogue.ts';
import type { Grant } from '../../../core/src/domain/grant.ts';
import { toId } from '../../../core/src/domain/ids.ts';
import { formatInstant } from '../../../core/src/domain/time.ts';
import { appendSignature, encodeGrantBody } from '../../../core/src/format/grant-v1.ts';
import { authorityFingerprint } from '../../../core/src/sealing/fingerprints.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { moveDigest, REF_ANY, refOne } from '../../../core/src/tpm2/policy.ts';
import { accepted, edited, refused, type Scenario } from './case.ts';
import { seeded, signDeterministically } from './deterministic.ts';
import type { HeaderName, Vector } from './vector-file.ts';
import {
  anna,
  approve,
  basicUserKeyName,
  day,
  grantAtoB,
  grantBtoC,
  grantTo,
  nonce,
  now,
  platformA,
  platformB,
  platformC,
  signGrantFile,
  signRevocationFile,
} from './world.ts';

const form = (comment: string): Scenario => ({ read: 'grant', spec: 'grant.md#structure', comment });
const verifying = (comment: string): Scenario => ({
  read: 'grant',
  stage: 'verify',
  spec: 'grant.md#verifying',
  comment,
});

/** A grant by A for B with changed fields, honestly signed. */
const granted = (changes: Partial<Grant>): Uint8Array =>
  signGrantFile(grantTo(platformB, platformA.authority, changes), platformA.authority);
const nameOfKey = fromHex(basicUserKeyName) ?? new Uint8Array();
const approvalOfKey = approve(
  platformA.authority,
  moveDigest(nameOfKey, nameOf(platformB.identity.storageKey)),
  REF_ANY,
);
const narrow = granted({
  source: [platformA.name],
  user: [anna.id, `upn:${anna.upn ?? ''}`],
  basicUserKey: [basicUserKeyName],
  onward: 'no',
  approval: [{ basicUserKey: basicUserKeyName, signature: approvalOfKey }],
});

const formCases: readonly Vector[] = [
  accepted('grant-good', form('for everyone, onward for one key'), grantAtoB),
  accepted('grant-narrow', form('for one source, one person and one key'), narrow),
  accepted('grant-onward', form('a delegate moves one key on'), grantBtoC),
  refused(
    'grant-unsorted',
    'GrantMalformed',
    { ...form('a list that is not sorted'), spec: 'text-format.md#lists' },
    edited(narrow, /(user: .*\n)(user: .*\n)/, '$2$1'),
  ),
  refused(
    'grant-repeated',
    'GrantMalformed',
    { ...form('an element twice'), spec: 'text-format.md#lists' },
    edited(narrow, /(source: .*\n)/, '$1$1'),
  ),
  refused(
    'grant-everyone-and-one',
    'GrantMalformed',
    form('* beside an account'),
    edited(narrow, 'user: ', 'user: *\nuser: '),
  ),
  refused('grant-nobody', 'GrantMalformed', form('no user at all'), edited(narrow, /user: .*\n/g, '')),
  refused(
    'grant-ends-before',
    'GrantMalformed',
    form('it ends before it begins'),
    edited(grantAtoB, /not-after: ..../, 'not-after: 2001'),
  ),
  refused(
    'grant-approves-nothing',
    'GrantMalformed',
    form('neither approval nor move'),
    edited(grantAtoB, /approval: .*\n/, ''),
  ),
  refused(
    'grant-broad-approval',
    'GrantMalformed',
    form('an approval of any key beside a list of keys'),
    edited(narrow, /approval: \S+/, 'approval: any'),
  ),
  refused(
    'grant-no-signature',
    'GrantMalformed',
    { ...form('it ends before its signature'), spec: 'text-format.md#signed-kinds' },
    edited(grantAtoB, /\n-- [^]*$/, ''),
  ),
  refused(
    'grant-two-signatures',
    'GrantMalformed',
    { ...form('a second signature line'), spec: 'text-format.md#signed-kinds' },
    edited(grantAtoB, /(-- .*\n)/, '$1$1'),
  ),
  refused(
    'grant-short-signature',
    'GrantMalformed',
    { ...form('a signature of 63 bytes'), spec: 'text-format.md#signed-kinds' },
    edited(grantAtoB, /(-- \S+ ).*\n/, `$1${toBase64(seeded('short', 63))}\n`),
  ),
];

const wrongKey = signDeterministically(
  platformC.authority.privateKey,
  encodeGrantBody(grantTo(platformB, platformA.authority)),
);
const signerA = authorityFingerprint(platformA.authority.public);
/** r and s are both the order of the curve: 0 to a careless verifier. */
const outOfRange = appendSignature(
  encodeGrantBody(grantTo(platformB, platformA.authority)),
  signerA,
  concat(p256Order, p256Order),
);

/** A grant with the signature line of a revocation list: no kind verifies as another. */
function asGrant(): Uint8Array {
  const list = fromUtf8(revocations) ?? '';
  const line = list.slice(list.indexOf('\n-- ') + 1);
  return edited(grantAtoB, /-- .*\n/, line);
}

const revocations = signRevocationFile(
  {
    rehearsal: false,
    number: 4,
    issued: now - 60,
    revoked: [
      { serial: grantTo(platformB, platformA.authority).serial, reason: 'PC-B was stolen in Kraków' },
      { serial: toId('GrantSerial', toHex(seeded('another serial', 16))), reason: '' },
    ],
  },
  platformA.authority,
);

const forC = approve(
  platformA.authority,
  moveDigest(undefined, nameOf(platformC.identity.storageKey)),
  REF_ANY,
);
const underOne = approve(
  platformA.authority,
  moveDigest(undefined, nameOf(platformB.identity.storageKey)),
  refOne(nonce),
);

const verifyCases: readonly Vector[] = [
  accepted('grant-verified', verifying('signature and approval hold'), grantAtoB),
  accepted('grant-onward-verified', verifying("a move under the key's own policyRef holds"), grantBtoC),
  refused(
    'grant-field-changed',
    'SignatureInvalid',
    verifying('its end was moved'),
    edited(grantAtoB, /not-after: ..../, 'not-after: 2099'),
  ),
  refused(
    'grant-signed-by-other',
    'SignatureInvalid',
    verifying('another authority signed it'),
    appendSignature(encodeGrantBody(grantTo(platformB, platformA.authority)), signerA, wrongKey),
  ),
  refused(
    'grant-names-other',
    'SignatureInvalid',
    verifying('its last line names another authority'),
    edited(grantAtoB, /-- \S+/, `-- ${authorityFingerprint(platformC.authority.public)}`),
  ),
  refused(
    'grant-signature-range',
    'SignatureInvalid',
    verifying('r and s are the order of the curve'),
    outOfRange,
  ),
  refused(
    'grant-signature-of-list',
    'SignatureInvalid',
    verifying('the signature of a revocation list'),
    asGrant(),
  ),
  refused(
    'grant-approval-elsewhere',
    'SignatureInvalid',
    verifying('its approval is for another destination'),
    granted({ approval: [{ basicUserKey: 'any', signature: forC }] }),
  ),
  refused(
    'grant-approval-ref',
    'SignatureInvalid',
    verifying('its approval stands under the wrong policyRef'),
    granted({ approval: [{ basicUserKey: 'any', signature: underOne }] }),
  ),
  refused(
    'grant-destination-template',
    'GrantMalformed',
    verifying('its destination is no storage key'),
    granted({ destinationKey: platformB.identity.authorityKey }),
  ),
  refused(
    'grant-authority-template',
    'SignatureInvalid',
    verifying('its authority is no signing key'),
    edited(grantAtoB, /authority: .*\n/, `authority: ${toBase64(platformB.identity.storageKey)}\n`),
  ),
];

/** The move at hand: Anna's key from A to B, now. */
const facts: Partial<Record<HeaderName, string>> = {
  now: formatInstant(now),
  rehearsal: 'no',
  'source-key': platformA.name,
  account: `${anna.id} ${anna.upn ?? ''}`,
  'basic-user-key': basicUserKeyName,
  'destination-key': platformB.name,
};
const checking = (comment: string, changes: Partial<Record<HeaderName, string>> = {}): Scenario => ({
  read: 'grant',
  stage: 'check',
  spec: 'grant.md#checking',
  comment,
  given: { ...facts, ...changes },
});
const instant = (offset: number): string => formatInstant(now + offset);
const refusedMove = (
  name: string,
  code: ErrorCode,
  comment: string,
  body: Uint8Array,
  changes: Partial<Record<HeaderName, string>> = {},
): Vector => refused(name, code, checking(comment, changes), body);

const checkCases: readonly Vector[] = [
  accepted('grant-permits', checking('it permits this move'), grantAtoB),
  accepted('grant-permits-narrow', checking('it lists source, account and key'), narrow),
  accepted(
    'grant-permits-by-upn',
    checking('it names the person by UPN', { account: `sid:S-1-5-21-9-9-9-1234 ${anna.upn ?? ''}` }),
    narrow,
  ),
  accepted('grant-first-second', checking('its first second', { now: instant(-day) }), grantAtoB),
  accepted('grant-last-second', checking('its last second', { now: instant(29 * day) }), grantAtoB),
  refusedMove('grant-not-yet', 'GrantNotYetValid', 'one second before it begins', grantAtoB, {
    now: instant(-day - 1),
  }),
  refusedMove('grant-expired', 'GrantExpired', 'one second after it ended', grantAtoB, {
    now: instant(29 * day + 1),
  }),
  refusedMove('grant-revoked', 'GrantRevoked', 'a list of its authority revokes it', grantAtoB, {
    'revocation-list': toBase64(revocations),
  }),
  refusedMove('grant-other-user', 'GrantUserMismatch', 'another account', narrow, {
    account: 'sid:S-1-5-21-9-9-9-1234',
  }),
  refusedMove('grant-other-source', 'GrantSourceMismatch', 'another source', narrow, {
    'source-key': platformC.name,
  }),
  refusedMove('grant-other-destination', 'DestinationNotAuthorized', 'another destination', grantAtoB, {
    'destination-key': platformC.name,
  }),
  refusedMove('grant-other-key', 'DestinationNotAuthorized', 'a key that is not listed', narrow, {
    'basic-user-key': platformC.name,
  }),
  refusedMove(
    'grant-rehearsal',
    'RehearsalMixed',
    'a grant of a rehearsal on a real platform',
    granted({ rehearsal: true }),
  ),
];

const listForm = (comment: string, stage: Scenario['stage'] = 'decode'): Scenario => ({
  read: 'revocation-list',
  stage,
  spec: 'grant.md#revocation-list',
  comment,
});

const listCases: readonly Vector[] = [
  accepted('revocation-list-good', listForm('two grants, one with a reason', 'verify'), revocations),
  accepted(
    'revocation-list-empty',
    listForm('nothing is revoked', 'verify'),
    signRevocationFile({ rehearsal: false, number: 1, issued: now, revoked: [] }, platformA.authority),
  ),
  refused(
    'revocation-list-number',
    'RevocationListMalformed',
    listForm('number 0'),
    edited(revocations, 'number: 4', 'number: 0'),
  ),
  refused(
    'revocation-list-repeated',
    'RevocationListMalformed',
    listForm('a serial twice with different reasons'),
    edited(revocations, /(serial: \S+)(.*\n)/, '$1$2$1 zzz\n'),
  ),
  refused(
    'revocation-list-changed',
    'SignatureInvalid',
    listForm('a serial was taken out', 'verify'),
    edited(revocations, /serial: .*\n/, ''),
  ),
  refused(
    'revocation-list-flipped',
    'SignatureInvalid',
    listForm('one bit of a reason', 'verify'),
    edited(revocations, 'stolen', 'stolem'),
  ),
  refused(
    'revocation-list-is-grant',
    'WrongFileKind',
    { ...listForm('a grant instead'), spec: 'text-format.md#recognising-files' },
    grantAtoB,
  ),
];

export const grantCases: readonly Vector[] = [...formCases, ...verifyCases, ...checkCases, ...listCases];
