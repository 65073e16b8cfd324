/**
 * Revocation lists (`<authority fingerprint>.sprevoked`), docs/spec/grant.md, "Revocation list": one per authority,
 * signed, the highest number wins. Leaves out the signature and the comparison of numbers (`sealing/grants.ts`).
 */
import type { RevocationList, SignedRevocationList } from '../domain/grant.ts';
import type { AuthorityFingerprint } from '../domain/ids.ts';
import { count, displayText, id, instant, pair, publicArea, yesNo } from './forms.ts';
import { appendSignature as append, readSignature } from './signed-text.ts';
import { TextReader, TextWriter, type ValueForm } from './text.ts';

/** Numbers also stand in 32 bits of the environment's private part. */
const listNumber = count(1, 0xffff_ffff);

type Revoked = RevocationList['revoked'][number];

const serialForm = id('GrantSerial');
const serialAndReason = pair(serialForm, displayText(120));

/** `<serial>` or `<serial> <reason>`. */
const revokedForm: ValueForm<Revoked> = {
  what: 'a grant serial, and a reason if there is one',
  write: ({ serial, reason }) => (reason === '' ? serial : serialAndReason.write([serial, reason])),
  read: (text) => {
    const [serial, reason] = text.includes(' ')
      ? (serialAndReason.read(text) ?? [])
      : [serialForm.read(text), ''];
    return serial === undefined || reason === undefined ? undefined : { serial, reason };
  },
};

/** The bytes that are signed. `ParameterInvalid` or `LimitExceeded` where the format cannot hold a value. */
export function encodeRevocationListBody(list: RevocationList): Uint8Array {
  return new TextWriter('revocation-list')
    .field('authority', publicArea, list.authority)
    .field('rehearsal', yesNo, list.rehearsal)
    .field('number', listNumber, list.number)
    .field('issued', instant, list.issued)
    .list('serial', revokedForm, list.revoked)
    .blank()
    .done();
}

/** The whole file. `signature` is r ‖ s, 64 bytes, over `body`. */
export function appendSignature(
  body: Uint8Array,
  signer: AuthorityFingerprint,
  signature: Uint8Array,
): Uint8Array {
  return append(body, signer, signature);
}

/** `path` is for messages. `RevocationListMalformed`, `WrongFileKind`, `FileMangled`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeRevocationList(bytes: Uint8Array, path: string): SignedRevocationList {
  const reader = new TextReader(bytes, 'revocation-list', path);
  const list: RevocationList = {
    authority: reader.field('authority', publicArea),
    rehearsal: reader.field('rehearsal', yesNo),
    number: reader.field('number', listNumber),
    issued: reader.field('issued', instant),
    revoked: reader.list('serial', revokedForm),
  };
  return { list, ...readSignature(reader), bytes };
}
