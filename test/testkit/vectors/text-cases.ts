/** Vectors of the text formats: identity, authority, registration, policy, and what all text kinds refuse. */
import { concat, fromUtf8, utf8 } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import {
  encodeAuthorityFile,
  encodeAuthorityPublic,
  encodeOwnerPasswordBackup,
} from '../../../core/src/format/authority-v1.ts';
import { encodeIdentity } from '../../../core/src/format/identity-v1.ts';
import { encodePlatformSettings } from '../../../core/src/format/platform-v1.ts';
import { encodePolicy } from '../../../core/src/format/policy-v1.ts';
import { encodeRegistration } from '../../../core/src/format/registration-v1.ts';
import { authorityFingerprint } from '../../../core/src/sealing/fingerprints.ts';
import { accepted, edited, refused, type Scenario } from './case.ts';
import { seeded } from './deterministic.ts';
import type { Vector } from './vector-file.ts';
import { attestedIdentity } from './attestation-world.ts';
import { anna, basicUserKey, grantAtoB, nonce, platformA, platformB } from './world.ts';

const identity = encodeIdentity(platformB.identity);
const escaped = encodeIdentity({ ...platformB.identity, computer: 'Küche \\ 厨房 💻' });
const attested = encodeIdentity(attestedIdentity);
const authority = encodeAuthorityFile({
  rehearsal: false,
  publicKey: platformA.authority.public,
  slots: [
    {
      kind: 'owner-password',
      salt: seeded('slot salt', 16),
      nonce12: seeded('slot nonce', 12),
      sealed: seeded('slot', 48),
    },
    { kind: 'backup', nonce12: seeded('backup nonce', 12), sealed: seeded('backup', 48) },
  ],
});
const signer = authorityFingerprint(platformA.authority.public);
const registration = encodeRegistration({
  account: anna,
  rehearsal: false,
  basicUserKey,
  nonce,
  rootAuthority: platformA.authority.public,
  grants: [grantAtoB],
});
const settings = encodePlatformSettings({ ...platformA.identity, authority: 'local' });

const bom = Uint8Array.of(0xef, 0xbb, 0xbf);

/** UTF-16LE with BOM, as a redirection in Windows PowerShell writes. */
function utf16(bytes: Uint8Array): Uint8Array {
  const codes = Array.from(`\ufeff${fromUtf8(bytes) ?? ''}`, (character) => character.charCodeAt(0));
  return Uint8Array.from(codes.flatMap((code) => [code & 0xff, code >> 8]));
}

const inIdentity = (section: string, comment: string): Scenario => ({
  read: 'identity',
  spec: section,
  comment,
});
const line = (comment: string): Scenario => inIdentity('text-format.md#lines', comment);
const value = (comment: string): Scenario => inIdentity('text-format.md#values', comment);
const kind = (comment: string): Scenario => inIdentity('text-format.md#recognising-files', comment);

export const textCases: readonly Vector[] = [
  accepted('identity-good', inIdentity('identity.md#structure', 'an identity'), identity),
  accepted('identity-escaped', value('a computer whose name is not ASCII'), escaped),
  accepted('identity-attested', inIdentity('identity.md#structure', 'an endorsement, in pieces'), attested),
  refused(
    'identity-unknown-field',
    'IdentityMalformed',
    line('a field that does not exist'),
    edited(identity, 'created', 'colour: blue\ncreated'),
  ),
  refused(
    'identity-repeated-field',
    'IdentityMalformed',
    line('a field twice'),
    edited(identity, /(chip: .*\n)/, '$1$1'),
  ),
  refused(
    'identity-swapped-fields',
    'IdentityMalformed',
    line('two fields in the wrong order'),
    edited(identity, /(chip: .*\n)(rehearsal: .*\n)/, '$2$1'),
  ),
  refused(
    'identity-missing-field',
    'IdentityMalformed',
    line('a field is missing'),
    edited(identity, /rehearsal: .*\n/, ''),
  ),
  refused(
    'identity-empty-value',
    'IdentityMalformed',
    line('a field without value'),
    edited(identity, 'PC-B', ''),
  ),
  refused(
    'identity-empty-line',
    'IdentityMalformed',
    line('an empty line'),
    edited(identity, 'chip', '\nchip'),
  ),
  refused(
    'identity-trailing-line',
    'IdentityMalformed',
    line('a line after the last field'),
    concat(identity, utf8('more: 1\n')),
  ),
  refused(
    'identity-cut-off',
    'IdentityMalformed',
    line('the last line feed is missing'),
    identity.slice(0, -1),
  ),
  refused(
    'identity-long-line',
    'IdentityMalformed',
    line('a line of 1,025 bytes'),
    edited(identity, 'PC-B', 'x'.repeat(1015)),
  ),
  refused('identity-tab', 'IdentityMalformed', line('a tab in a value'), edited(identity, 'PC-B', 'PC\tB')),
  refused(
    'identity-utf8',
    'IdentityMalformed',
    line('UTF-8 that was not escaped'),
    edited(identity, 'PC-B', 'Küche'),
  ),
  refused(
    'identity-needless-escape',
    'IdentityMalformed',
    value('an escape of a printable character'),
    edited(identity, 'PC-B', 'PC\\u{2d}B'),
  ),
  refused(
    'identity-capital-escape',
    'IdentityMalformed',
    value('an escape with capital hex digits'),
    edited(escaped, '\\u{fc}', '\\u{FC}'),
  ),
  refused(
    'identity-surrogate',
    'IdentityMalformed',
    value('an escaped surrogate'),
    edited(identity, 'PC-B', '\\u{d83d}\\u{dcbb}'),
  ),
  refused(
    'identity-control',
    'IdentityMalformed',
    value('an escaped terminal control character'),
    edited(identity, 'PC-B', '\\u{1b}[2J'),
  ),
  refused(
    'identity-direction',
    'IdentityMalformed',
    value('a mark that turns the direction of writing'),
    edited(identity, 'PC-B', 'PC\\u{202e}B'),
  ),
  refused(
    'identity-time',
    'IdentityMalformed',
    value('a day that does not exist'),
    edited(identity, /created: .*\n/, 'created: 2026-02-30T00:00:00Z\n'),
  ),
  refused(
    'identity-base64',
    'IdentityMalformed',
    value('base64 without its padding'),
    edited(identity, /(storage-key: [^=]*)=*\n/, '$1A\n'),
  ),
  refused(
    'identity-piece',
    'IdentityMalformed',
    inIdentity('text-format.md#pieces', 'a short piece that is not the last'),
    edited(attested, /attestation: /, 'attestation: QUJD\nattestation: '),
  ),
  refused('identity-newer', 'VersionUnsupported', kind('a later version'), edited(identity, 'v1', 'v2')),
  refused('identity-bom', 'FileMangled', kind('a byte order mark before it'), concat(bom, identity)),
  refused('identity-crlf', 'FileMangled', kind('CR LF line ends'), edited(identity, /\n/g, '\r\n')),
  refused('identity-utf16', 'FileMangled', kind('converted to UTF-16'), utf16(identity)),
  refused('identity-is-grant', 'WrongFileKind', kind('a grant instead'), grantAtoB),
  refused('identity-is-empty', 'WrongFileKind', kind('an empty file'), new Uint8Array()),
  refused(
    'identity-is-unknown',
    'WrongFileKind',
    kind('a kind that does not exist yet'),
    utf8('SPMigration pilgrim v1\n'),
  ),
  refused(
    'identity-is-pfx',
    'WrongFileKind',
    kind('a PKCS#12 file instead'),
    concat(Uint8Array.of(0x30, 0x82, 4, 0, 2, 1, 3, 0x30, 0x82), seeded('pfx', 100)),
  ),
];

export const otherTextCases: readonly Vector[] = [
  accepted(
    'authority-good',
    { read: 'authority', spec: 'authority.md#key-file', comment: 'an authority with both slots' },
    authority,
  ),
  accepted(
    'authority-public-good',
    { read: 'authority-public', spec: 'authority.md#public-half', comment: 'its public half' },
    encodeAuthorityPublic({ rehearsal: false, publicKey: platformA.authority.public }),
  ),
  accepted(
    'owner-password-backup-good',
    {
      read: 'owner-password-backup',
      spec: 'authority.md#owner-password-backup',
      comment: 'the key of the second slot',
    },
    encodeOwnerPasswordBackup({
      authority: signer,
      rehearsal: false,
      key: new SecretBytes(seeded('backup key', 32)),
    }).reveal,
  ),
  refused(
    'authority-slots-swapped',
    'AuthorityMalformed',
    { read: 'authority', spec: 'authority.md#key-file', comment: 'the backup slot first' },
    edited(authority, /(owner-password-slot: .*\n)(backup-slot: .*\n)/, '$2$1'),
  ),
  refused(
    'authority-short-slot',
    'AuthorityMalformed',
    { read: 'authority', spec: 'authority.md#key-file', comment: 'a sealed key that is too short' },
    edited(authority, /(backup-slot: \S+ ).{4}/, '$1'),
  ),
  refused(
    'authority-is-public',
    'WrongFileKind',
    {
      read: 'authority',
      spec: 'text-format.md#recognising-files',
      comment: 'the public half instead of the key file',
    },
    encodeAuthorityPublic({ rehearsal: false, publicKey: platformA.authority.public }),
  ),
  accepted(
    'registration-good',
    { read: 'registration', spec: 'registration.md#structure', comment: 'a key that came by one grant' },
    registration,
  ),
  refused(
    'registration-grant-order',
    'RegistrationMalformed',
    {
      read: 'registration',
      spec: 'registration.md#structure',
      comment: 'the chain begins with its second grant',
    },
    edited(registration, /grant: 1 /g, 'grant: 2 '),
  ),
  refused(
    'registration-bare-name',
    'RegistrationMalformed',
    { read: 'registration', spec: 'text-format.md#accounts', comment: 'an account by its bare name' },
    edited(registration, /account: .*\n/, 'account: anna\n'),
  ),
  accepted(
    'platform-good',
    {
      read: 'platform',
      spec: 'environment-store.md#platform-settings',
      comment: 'settings of an initialised platform',
    },
    settings,
  ),
  refused(
    'platform-newer',
    'StoreNewer',
    {
      read: 'platform',
      spec: 'environment-store.md#platform-settings',
      comment: 'settings of a later version',
    },
    edited(settings, 'v1', 'v2'),
  ),
  refused(
    'platform-is-identity',
    'PlatformDamaged',
    {
      read: 'platform',
      spec: 'text-format.md#recognising-files',
      comment: 'another kind at a fixed place is damage',
    },
    identity,
  ),
  accepted(
    'policy-good',
    { read: 'policy', spec: 'policy.md#structure', comment: 'one trusted authority, no rehearsals' },
    encodePolicy({ trustedAuthorities: [signer], allowRehearsal: false }),
  ),
  accepted(
    'policy-empty',
    { read: 'policy', spec: 'policy.md#structure', comment: 'nothing is configured' },
    utf8('SPMigration policy v1\n'),
  ),
  refused(
    'policy-misspelt',
    'PolicyMalformed',
    {
      read: 'policy',
      spec: 'policy.md#structure',
      comment: 'a setting that does not exist must not be passed over',
    },
    utf8('SPMigration policy v1\nAllowRehersal: no\n'),
  ),
];
