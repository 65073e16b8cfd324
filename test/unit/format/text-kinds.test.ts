/** The text kinds: what they write, that they read it back, and what they refuse with which words. */
import { describe, expect, test } from 'vitest';
import { ascii, concat, fromUtf8, utf8 } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { isSPMigrationError } from '../../../core/src/domain/error.ts';
import type { Grant } from '../../../core/src/domain/grant.ts';
import {
  decodeAuthorityFile,
  decodeAuthorityPublic,
  decodeOwnerPasswordBackup,
  encodeAuthorityFile,
  encodeAuthorityPublic,
  encodeOwnerPasswordBackup,
} from '../../../core/src/format/authority-v1.ts';
import { appendSignature, decodeGrant, encodeGrantBody } from '../../../core/src/format/grant-v1.ts';
import { decodeIdentity, encodeIdentity } from '../../../core/src/format/identity-v1.ts';
import { decodePlatformSettings, encodePlatformSettings } from '../../../core/src/format/platform-v1.ts';
import { decodePolicy, encodePolicy } from '../../../core/src/format/policy-v1.ts';
import { decodeRegistration, encodeRegistration } from '../../../core/src/format/registration-v1.ts';
import {
  decodeRevocationList,
  encodeRevocationListBody,
} from '../../../core/src/format/revocation-list-v1.ts';
import { signedPart } from '../../../core/src/format/signed-text.ts';
import {
  fixedBytes,
  fixedId,
  sampleAuthorityFile,
  sampleGrant,
  sampleIdentity,
  sampleNarrowGrant,
  samplePlatform,
  sampleRegistration,
  sampleRevocationList,
  sampleSignature,
  sampleSigner,
} from '../../testkit/format-samples.ts';

/** Code and message of what `work` throws. */
function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isSPMigrationError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('it was accepted');
}

const grantFile = (grant: Grant): Uint8Array =>
  appendSignature(encodeGrantBody(grant), sampleSigner, sampleSignature);
const textOf = (bytes: Uint8Array): string => fromUtf8(bytes) ?? '';
/** The identity with its text changed. */
const identityWith = (change: (text: string) => string): Uint8Array =>
  utf8(change(textOf(encodeIdentity(sampleIdentity))));

describe('identity', () => {
  test('is written as the specification shows', () => {
    const lines = textOf(encodeIdentity(sampleIdentity)).split('\n');
    expect(lines.map((line) => line.split(':', 1)[0])).toEqual([
      'SPMigration identity v1',
      'computer',
      'chip',
      'rehearsal',
      'storage-key',
      'authority-key',
      'created',
      '',
    ]);
    expect(lines[1]).toBe('computer: PC-B');
    expect(lines[6]).toBe('created: 2026-11-25T08:00:00Z');
  });

  test.each([
    ['plain', sampleIdentity],
    ['with other characters', { ...sampleIdentity, computer: 'PC \\ Łódź 💻' }],
    ['with an attestation of whole pieces', { ...sampleIdentity, attestation: fixedBytes(1050, 3) }],
    ['with an attestation of a partial piece', { ...sampleIdentity, attestation: fixedBytes(1051, 3) }],
  ])('reads back: %s', (_, identity) => {
    expect(decodeIdentity(encodeIdentity(identity), 'x')).toEqual(identity);
  });

  test('escapes what is not printable ASCII, and only that', () => {
    const text = textOf(encodeIdentity({ ...sampleIdentity, computer: 'a\\é💻' }));
    expect(text).toContain('computer: a\\u{5c}\\u{e9}\\u{1f4bb}\n');
  });

  test.each([
    [
      'a repeated field',
      (t: string) => t.replace('chip: software\n', 'chip: software\nchip: software\n'),
      'line 4: "rehearsal" is expected here, not "chip"',
    ],
    [
      'an unknown field',
      (t: string) => t.replace('chip:', 'chop:'),
      'line 3: "chip" is expected here, not "chop"',
    ],
    ['a field too many', (t: string) => t + 'more: 1\n', 'line 8: nothing more is expected here, not "more"'],
    [
      'swapped fields',
      (t: string) => t.replace('chip: software\nrehearsal: yes', 'rehearsal: yes\nchip: software'),
      'line 3: "chip"',
    ],
    ['an empty value', (t: string) => t.replace('PC-B', ''), 'line 2: the value of "computer"'],
    [
      'no space after the colon',
      (t: string) => t.replace('chip: ', 'chip:'),
      'line 3: "chip" is expected here',
    ],
    ['an empty line', (t: string) => t.replace('chip', '\nchip'), 'line 3: "chip" is expected here'],
    [
      'an escape that was not needed',
      (t: string) => t.replace('PC-B', '\\u{41}'),
      'line 2: the value of "computer"',
    ],
    ['an escape with a leading zero', (t: string) => t.replace('PC-B', '\\u{0e9}'), 'line 2'],
    ['an escape in capitals', (t: string) => t.replace('PC-B', '\\u{E9}'), 'line 2'],
    ['an escape beyond Unicode', (t: string) => t.replace('PC-B', '\\u{110000}'), 'line 2'],
    ['an escaped surrogate', (t: string) => t.replace('PC-B', '\\u{d800}'), 'line 2'],
    ['a bare backslash', (t: string) => t.replace('PC-B', 'a\\b'), 'line 2'],
    ['an escaped control character', (t: string) => t.replace('PC-B', '\\u{1b}'), 'line 2'],
    ['a mark that turns the direction of writing', (t: string) => t.replace('PC-B', 'a\\u{202e}b'), 'line 2'],
    [
      'a letter that is not ASCII',
      (t: string) => t.replace('PC-B', 'é'),
      'line 2: there is a byte that is not printable ASCII',
    ],
    ['a tab', (t: string) => t.replace('PC-B', 'a\tb'), 'line 2: there is a byte'],
    [
      'a carriage return further on',
      (t: string) => t.replace('software\n', 'software\r\n'),
      'line 3: there is a byte',
    ],
    [
      'a line that is too long',
      (t: string) => t.replace('PC-B', 'x'.repeat(1015)),
      'line 2: the line is longer than 1,024 bytes',
    ],
    [
      'a file that is cut off in a line',
      (t: string) => t.slice(0, -1),
      'line 7: the line does not end; the file may be cut off',
    ],
    [
      'a file that is cut off between lines',
      (t: string) => t.slice(0, t.indexOf('created')),
      'line 7: the file ends where "created" is expected',
    ],
    [
      'a time that does not exist',
      (t: string) => t.replace('11-25', '02-30'),
      'line 7: the value of "created" is not a time',
    ],
    [
      'another chip',
      (t: string) => t.replace('software', 'hardware'),
      'line 3: the value of "chip" is not one of tpm2, software',
    ],
    ['base64 without padding', (t: string) => t.replace(/(authority-key: .*?)=+\n/, '$1\n'), 'line 6'],
  ])('refuses %s', (_, change, problem) => {
    expect(refusal(() => decodeIdentity(identityWith(change), 'B.spid'))).toContain(problem);
    expect(refusal(() => decodeIdentity(identityWith(change), 'B.spid'))).toMatch(
      /^IdentityMalformed: B\.spid /,
    );
  });

  test.each([
    ['pieces after a short one', 'attestation: QUJD\nattestation: QUJD\n', 'follows after a short one'],
    ['a piece with broken base64', 'attestation: QUJ\n', 'not a piece of base64'],
    ['a piece that is too long', `attestation: ${'A'.repeat(704)}\n`, 'not a piece of base64'],
    ['an empty piece', 'attestation: \n', 'not a piece of base64'],
  ])('refuses %s', (_, lines, problem) => {
    expect(
      refusal(() =>
        decodeIdentity(
          identityWith((t) => t.replace('created', `${lines}created`)),
          'x',
        ),
      ),
    ).toContain(problem);
  });

  test('refuses to write what it could not read', () => {
    expect(refusal(() => encodeIdentity({ ...sampleIdentity, computer: 'a\nb' }))).toMatch(
      /^ParameterInvalid: .*computer/,
    );
    expect(refusal(() => encodeIdentity({ ...sampleIdentity, computer: '中'.repeat(140) }))).toMatch(
      /^LimitExceeded: .*computer/,
    );
    expect(refusal(() => encodeIdentity({ ...sampleIdentity, computer: '' }))).toMatch(/^ParameterInvalid/);
    expect(refusal(() => encodeIdentity({ ...sampleIdentity, created: -1 }))).toMatch(/^ParameterInvalid/);
    expect(refusal(() => encodeIdentity({ ...sampleIdentity, created: Number.NaN }))).toMatch(
      /^ParameterInvalid/,
    );
  });
});

describe('a file that is something else is named', () => {
  const identity = encodeIdentity(sampleIdentity);
  const utf16 = (text: string): Uint8Array => {
    const bytes = new Uint8Array(text.length * 2);
    for (let i = 0; i < text.length; i++) bytes[2 * i] = text.charCodeAt(i);
    return bytes;
  };
  test.each([
    ['a grant', grantFile(sampleGrant), 'WrongFileKind: x is a grant; an identity is needed.'],
    [
      'an authority file',
      encodeAuthorityFile(sampleAuthorityFile),
      'WrongFileKind: x is an authority file; an identity is needed.',
    ],
    [
      'a mangled grant',
      utf8(textOf(grantFile(sampleGrant)).replaceAll('\n', '\r\n')),
      'WrongFileKind: x is a grant',
    ],
    [
      'a kind of the future',
      ascii('SPMigration pilgrim v3\n'),
      'WrongFileKind: x is a file of a kind that this version',
    ],
    [
      'a ZIP',
      Uint8Array.of(0x50, 0x4b, 3, 4, ...new Uint8Array(60)),
      'WrongFileKind: x is a ZIP file that is not an archive',
    ],
    ['a PFX', Uint8Array.of(0x30, 0x82, 9, 9, 2, 1, 3, 0x30), 'WrongFileKind: x is a PKCS#12 (PFX) file'],
    [
      'a certificate',
      Uint8Array.of(0x30, 0x82, 3, 9, 0x30, 0x82, 2, 1, 0xa0, 3),
      'WrongFileKind: x is a certificate',
    ],
    ['PEM', ascii('-----BEGIN CERTIFICATE-----\n'), 'WrongFileKind: x is a PEM file'],
    ['nothing', new Uint8Array(), 'WrongFileKind: x is an empty file'],
    ['anything', ascii('hello'), 'WrongFileKind: x is a file of an unknown kind'],
    [
      'a later version',
      identityWith((t) => t.replace('v1', 'v2')),
      'VersionUnsupported: x is an identity of version 2; this program reads up to version 1.',
    ],
    ['version 0', identityWith((t) => t.replace('v1', 'v0')), 'WrongFileKind'],
    [
      'with a byte order mark',
      concat(Uint8Array.of(0xef, 0xbb, 0xbf), identity),
      'FileMangled: x was altered on its way: a byte order mark',
    ],
    [
      'with CR LF',
      identityWith((t) => t.replaceAll('\n', '\r\n')),
      'FileMangled: x was altered on its way: its line ends were changed to CR LF',
    ],
    [
      'as UTF-16 with BOM',
      concat(Uint8Array.of(0xff, 0xfe), utf16(textOf(identity))),
      'FileMangled: x was altered on its way: it was converted to UTF-16',
    ],
    [
      'as UTF-16 without BOM',
      utf16(textOf(identity)),
      'FileMangled: x was altered on its way: it was converted to UTF-16',
    ],
    ['as big-endian UTF-16', concat(Uint8Array.of(0xfe, 0xff, 0), utf16(textOf(identity))), 'FileMangled'],
    ['a redirected binary', concat(Uint8Array.of(0xff, 0xfe), utf16('\u0001\u0002')), 'FileMangled'],
    ['a large file', concat(identity, new Uint8Array(1024 * 1024)), 'LimitExceeded'],
  ])('%s', (_, bytes, message) => {
    expect(refusal(() => decodeIdentity(bytes, 'x'))).toContain(message);
  });
});

describe('grant', () => {
  test.each([
    ['for all', sampleGrant],
    ['for some', sampleNarrowGrant],
    ['onward without delegations', { ...sampleGrant, onward: [] }],
    ['with moves only', { ...sampleGrant, approval: [], move: sampleNarrowGrant.move }],
  ])('reads back: %s', (_, grant) => {
    const bytes = grantFile(grant);
    const signed = decodeGrant(bytes, 'x');
    expect(signed).toEqual({ grant, signer: sampleSigner, signature: sampleSignature, bytes });
    expect(signedPart(signed.bytes)).toEqual(encodeGrantBody(grant));
  });

  test('sorts its lists', () => {
    const user = ['upn:b@x.example', 'upn:a@x.example'];
    expect(decodeGrant(grantFile({ ...sampleGrant, user }), 'x').grant.user).toEqual([
      'upn:a@x.example',
      'upn:b@x.example',
    ]);
  });

  const change =
    (from: string | RegExp, to: string, grant = sampleNarrowGrant) =>
    (): unknown => {
      const before = textOf(grantFile(grant));
      const after = before.replace(from, to);
      expect(after).not.toBe(before);
      return decodeGrant(utf8(after), 'x.spgrant');
    };
  const key = fixedId('TpmName', 99);
  test.each([
    [
      'an unsorted list',
      change(/(source: .*\n)(source: .*\n)/, '$2$1'),
      'line 6: the list "source" is not sorted',
    ],
    [
      'a repeated element',
      change(/(source: .*\n)/, '$1$1'),
      'line 6: the element is repeated in the list "source"',
    ],
    [
      'two approvals of one key',
      change(/approval: (\S+) \S+\n/, `$&approval: $1 ${'B'.repeat(86)}==\n`),
      'is repeated in the list "approval"',
    ],
    [
      'everyone and someone',
      change('user: sid', 'user: *\nuser: sid'),
      '"basic-user-key" is expected here, not "user"',
    ],
    ['nobody', change(/user: .*\n/g, ''), '"user" is expected here'],
    ['a bare name', change(/user: sid.*\n/, 'user: anna\n'), 'is not an account id'],
    ['a fingerprint of wrong length', change(/(destination-fingerprint: .*).\n/, '$1\n'), 'line 8'],
    [
      'capital hex',
      change(/serial: .*\n/, `serial: ${'A'.repeat(32)}\n`),
      'line 2: the value of "serial" is not a GrantSerial of 32 lower-case hex digits',
    ],
    [
      'an end before the beginning',
      change(/not-after: .{4}/, 'not-after: 1999'),
      'the grant ends before it begins',
    ],
    [
      'an approval of any key beside a list',
      change(/approval: \S+/, 'approval: any'),
      'covers a key that "basic-user-key" does not list',
    ],
    [
      'a move of a key that is not listed',
      change(/move: \S+/, `move: ${key}`),
      'covers a key that "basic-user-key" does not list',
    ],
    [
      'an approval of one key for all keys',
      change('approval: any', `approval: ${key}`, sampleGrant),
      'names a key that "basic-user-key" does not list',
    ],
    ['no approval at all', change(/approval: .*\n/, '', sampleGrant), 'the grant approves nothing'],
    ['a signature that is too short', change(/(-- \S+ ).*\n/, '$1QUJD\n'), 'the signature line is not'],
    ['no signature', change(/\n-- .*\n/, '\n'), 'the file ends too early'],
    ['no empty line', change('\n\n--', '\n--'), 'an empty line and the signature are expected here'],
    ['a second signature', change(/(-- .*\n)/, '$1$1'), 'nothing more is expected here'],
    ['text after the signature', change(/$/, 'x'), 'does not end'],
    ['an end after the fields', change(/\n-- [^]*$/, ''), 'the file ends before its signature'],
  ])('refuses %s', (_, work, problem) => {
    const message = refusal(work);
    expect(message).toMatch(/^GrantMalformed: x\.spgrant /);
    expect(message).toContain(problem);
  });

  test('has lists of at most 1,000', () => {
    const names = (count: number): Grant['source'] =>
      Array.from({ length: count }, (_, i) => fixedId('TpmName', 1000 + i)).sort();
    const full = grantFile({ ...sampleGrant, source: names(1000) });
    expect(decodeGrant(full, 'x').grant.source).toHaveLength(1000);
    expect(refusal(() => grantFile({ ...sampleGrant, source: names(1001) }))).toMatch(/^LimitExceeded/);
    const over = textOf(full).replace(
      'destination-computer',
      `source: ${'f'.repeat(68)}\ndestination-computer`,
    );
    expect(refusal(() => decodeGrant(utf8(over), 'x'))).toContain('there are more than 1,000 lines "source"');
  });

  test('is not written where it contradicts itself or repeats an element', () => {
    expect(() => encodeGrantBody({ ...sampleGrant, notAfter: 0 })).toThrow(RangeError);
    expect(refusal(() => encodeGrantBody({ ...sampleGrant, user: [] }))).toMatch(/^ParameterInvalid/);
    expect(refusal(() => encodeGrantBody({ ...sampleGrant, user: ['upn:a@b', 'upn:a@b'] }))).toMatch(
      /^ParameterInvalid/,
    );
  });
});

describe('revocation list', () => {
  const file = appendSignature(encodeRevocationListBody(sampleRevocationList), sampleSigner, sampleSignature);
  test('reads back', () => {
    expect(decodeRevocationList(file, 'x')).toEqual({
      list: sampleRevocationList,
      signer: sampleSigner,
      signature: sampleSignature,
      bytes: file,
    });
  });
  test('does not pass as a grant, nor a grant as one', () => {
    expect(refusal(() => decodeGrant(file, 'x'))).toMatch(
      /^WrongFileKind: x is a revocation list; a grant is needed/,
    );
    expect(refusal(() => decodeRevocationList(grantFile(sampleGrant), 'x'))).toMatch(/^WrongFileKind/);
  });
  test('refuses a serial that is there twice with different reasons', () => {
    const again = textOf(file).replace(/(serial: \S+)(.*\n)/, '$1$2$1 zzz\n');
    expect(refusal(() => decodeRevocationList(utf8(again), 'x'))).toMatch(
      /^RevocationListMalformed: .*is repeated/,
    );
  });
  test('refuses number 0 and a trailing space for a missing reason', () => {
    expect(
      refusal(() => decodeRevocationList(utf8(textOf(file).replace('number: 7', 'number: 0')), 'x')),
    ).toContain('line 4');
    expect(
      refusal(() => decodeRevocationList(utf8(textOf(file).replace(/(serial: ff\S+)/, '$1 ')), 'x')),
    ).toMatch(/^RevocationListMalformed/);
  });
});

describe('authority', () => {
  test('key file and public half read back', () => {
    expect(decodeAuthorityFile(encodeAuthorityFile(sampleAuthorityFile), 'x')).toEqual(sampleAuthorityFile);
    const one = { ...sampleAuthorityFile, slots: [sampleAuthorityFile.slots[0]] } as const;
    expect(decodeAuthorityFile(encodeAuthorityFile(one), 'x')).toEqual(one);
    const half = { rehearsal: true, publicKey: fixedBytes(88, 4) };
    expect(decodeAuthorityPublic(encodeAuthorityPublic(half), 'x')).toEqual(half);
  });
  test('the public half is not taken for the key file', () => {
    const half = encodeAuthorityPublic({ rehearsal: true, publicKey: fixedBytes(88, 4) });
    expect(refusal(() => decodeAuthorityFile(half, 'x'))).toBe(
      'WrongFileKind: x is a public authority file; an authority file is needed.',
    );
  });
  test('refuses a sealed key of another length', () => {
    const text = textOf(encodeAuthorityFile(sampleAuthorityFile)).replace(/(backup-slot: \S+ ).{4}/, '$1');
    expect(refusal(() => decodeAuthorityFile(utf8(text), 'x'))).toContain(
      'line 5: the value of "backup-slot" is not 12 bytes',
    );
  });

  const backup = { authority: sampleSigner, rehearsal: false, key: SecretBytes.copyOf(fixedBytes(32, 50)) };
  test('owner-password backup reads back as a secret', () => {
    const file = encodeOwnerPasswordBackup(backup);
    expect(String(file)).toBe('[secret]');
    const read = decodeOwnerPasswordBackup(file.reveal, 'x');
    expect(read.authority).toBe(sampleSigner);
    expect(read.key.reveal).toEqual(fixedBytes(32, 50));
    expect(JSON.stringify(read)).not.toContain('50');
  });
  test.each([
    ['too short a key', (t: string) => t.slice(0, -3) + '\n'],
    ['too long a key', (t: string) => t.slice(0, -1) + '00\n'],
    ['capital digits', (t: string) => t.slice(0, -2) + 'A\n'],
    ['no line end', (t: string) => t.slice(0, -1)],
    ['something after it', (t: string) => t + 'x\n'],
    ['no key', (t: string) => t.slice(0, t.indexOf('key: '))],
  ])('owner-password backup refuses %s, without showing it', (_, change) => {
    const text = textOf(encodeOwnerPasswordBackup(backup).reveal);
    const message = refusal(() => decodeOwnerPasswordBackup(utf8(change(text)), 'x'));
    expect(message).toMatch(/^AuthorityMalformed: x .* line [45]: /);
    expect(message).not.toContain(text.slice(-20, -10));
  });
});

describe('registration, platform settings, policy', () => {
  test('read back', () => {
    expect(decodeRegistration(encodeRegistration(sampleRegistration), 'x')).toEqual(sampleRegistration);
    const none = { ...sampleRegistration, grants: [] };
    expect(decodeRegistration(encodeRegistration(none), 'x')).toEqual(none);
    expect(decodePlatformSettings(encodePlatformSettings(samplePlatform), 'x')).toEqual(samplePlatform);
    const policy = { trustedAuthorities: [sampleSigner], allowRehearsal: false };
    expect(decodePolicy(encodePolicy(policy), 'x')).toEqual(policy);
  });
  test('a registration holds at most five grants, in order', () => {
    const text = textOf(
      encodeRegistration({ ...sampleRegistration, grants: [1, 2, 3, 4, 5].map((i) => fixedBytes(8, i)) }),
    );
    expect(refusal(() => decodeRegistration(utf8(`${text}grant: 6 QUJD\n`), 'x'))).toMatch(
      /^RegistrationMalformed: .*nothing more/,
    );
    expect(refusal(() => decodeRegistration(utf8(text.replace('grant: 2', 'grant: 4')), 'x'))).toMatch(
      /^RegistrationMalformed/,
    );
    expect(() =>
      encodeRegistration({
        ...sampleRegistration,
        grants: Array.from({ length: 6 }, () => fixedBytes(8, 1)),
      }),
    ).toThrow(RangeError);
  });
  test('settings of another kind or a newer version', () => {
    expect(refusal(() => decodePlatformSettings(encodeIdentity(sampleIdentity), 'p'))).toBe(
      'PlatformDamaged: The platform folder p is damaged: an identity stands in place of platform settings',
    );
    const newer = utf8(textOf(encodePlatformSettings(samplePlatform)).replace('v1', 'v2'));
    expect(refusal(() => decodePlatformSettings(newer, 'p'))).toMatch(/^StoreNewer: p .*\(2\)/);
  });
  test('a policy may leave everything out, and refuses what it does not know', () => {
    expect(decodePolicy(ascii('SPMigration policy v1\n'), 'x')).toEqual({
      trustedAuthorities: undefined,
      allowRehearsal: true,
    });
    expect(refusal(() => decodePolicy(ascii('SPMigration policy v1\nAllowRehersal: no\n'), 'x'))).toMatch(
      /^PolicyMalformed: .*line 2/,
    );
    expect(refusal(() => decodePolicy(ascii('AllowRehearsal: no\n'), 'x'))).toMatch(
      /^PolicyMalformed: .*a file of an unknown kind/,
    );
    expect(refusal(() => decodePolicy(ascii('SPMigration policy v1\r\n'), 'x'))).toMatch(
      /^PolicyMalformed: .*CR LF/,
    );
    expect(refusal(() => decodePolicy(ascii('SPMigration policy v2\n'), 'x'))).toMatch(/^VersionUnsupported/);
  });
});
