/**
 * Grant files (`.spgrant`), docs/spec/grant.md: the owner's signed permission for one destination. Checks that the
 * fields do not contradict each other; leaves out every signature and digest (`sealing/grants.ts`).
 */
import type { Grant, KeyApproval, SignedGrant } from '../domain/grant.ts';
import type { AuthorityFingerprint, TpmName } from '../domain/ids.ts';
import {
  computerName,
  hexBytes,
  id,
  instant,
  mapped,
  pair,
  publicArea,
  signatureBytes,
  userName,
  yesNo,
} from './forms.ts';
import { appendSignature as append, readSignature } from './signed-text.ts';
import { TextReader, TextWriter, type ValueForm } from './text.ts';

const name = id('TpmName');
const historyHead = hexBytes(32);

type Approval = Grant['approval'][number];

const keyOrAny: ValueForm<TpmName | 'any'> = {
  what: 'any or a Name',
  write: (key) => key,
  read: (text) => (text === 'any' ? text : name.read(text)),
};
const keyAndSignature = pair(keyOrAny, signatureBytes);
const nonceAndSignature = pair(hexBytes(16), signatureBytes);
const keyNonceAndSignature = pair(name, nonceAndSignature);

/** `any <base64>` or `<Name> <base64>`. */
const approvalForm = mapped(
  keyAndSignature,
  ([basicUserKey, signature]): Approval => ({ basicUserKey, signature }),
  ({ basicUserKey, signature }) => [basicUserKey, signature] as const,
);

/** `<Name> <nonce> <base64>`. */
const keyApprovalForm = mapped(
  keyNonceAndSignature,
  ([basicUserKey, [nonce, signature]]): KeyApproval => ({ basicUserKey, nonce, signature }),
  ({ basicUserKey, nonce, signature }) => [basicUserKey, [nonce, signature]] as const,
);

const noOnward: ValueForm<'no'> = {
  what: 'no',
  write: (value) => value,
  read: (text) => (text === 'no' ? text : undefined),
};

/** The bytes that are signed. `ParameterInvalid` or `LimitExceeded` where the format cannot hold a value. */
export function encodeGrantBody(grant: Grant): Uint8Array {
  const problem = contradiction(grant);
  if (problem !== undefined) throw new RangeError(`a grant that contradicts itself: ${problem}`);
  const writer = new TextWriter('grant')
    .field('serial', id('GrantSerial'), grant.serial)
    .field('rehearsal', yesNo, grant.rehearsal)
    .field('authority', publicArea, grant.authority)
    .scope('source', name, grant.source)
    .field('destination-computer', computerName, grant.destinationComputer)
    .field('destination-fingerprint', id('IdentityFingerprint'), grant.destinationFingerprint)
    .field('destination-key', publicArea, grant.destinationKey)
    .scope('user', userName, grant.user)
    .scope('basic-user-key', name, grant.basicUserKey)
    .field('not-before', instant, grant.notBefore)
    .field('not-after', instant, grant.notAfter);
  if (grant.onward === 'no') writer.field('onward', noOnward, grant.onward);
  else writer.list('onward', keyApprovalForm, grant.onward);
  return writer
    .list('approval', approvalForm, grant.approval)
    .list('move', keyApprovalForm, grant.move)
    .optional('history-head', historyHead, grant.historyHead.length === 0 ? undefined : grant.historyHead)
    .blank()
    .done();
}

/** The whole grant file. `signature` is r ‖ s, 64 bytes, over `body`. */
export function appendSignature(
  body: Uint8Array,
  signer: AuthorityFingerprint,
  signature: Uint8Array,
): Uint8Array {
  return append(body, signer, signature);
}

/** `path` is for messages. `GrantMalformed`, `WrongFileKind`, `FileMangled`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeGrant(bytes: Uint8Array, path: string): SignedGrant {
  const reader = new TextReader(bytes, 'grant', path);
  const grant: Grant = {
    serial: reader.field('serial', id('GrantSerial')),
    rehearsal: reader.field('rehearsal', yesNo),
    authority: reader.field('authority', publicArea),
    source: reader.scope('source', name),
    destinationComputer: reader.field('destination-computer', computerName),
    destinationFingerprint: reader.field('destination-fingerprint', id('IdentityFingerprint')),
    destinationKey: reader.field('destination-key', publicArea),
    user: reader.scope('user', userName),
    basicUserKey: reader.scope('basic-user-key', name),
    notBefore: reader.field('not-before', instant),
    notAfter: reader.field('not-after', instant),
    onward: readOnward(reader),
    approval: reader.list('approval', approvalForm),
    move: reader.list('move', keyApprovalForm),
    historyHead: reader.optional('history-head', historyHead) ?? new Uint8Array(),
  };
  const { signer, signature } = readSignature(reader);
  const problem = contradiction(grant);
  if (problem !== undefined) throw reader.malformed(problem);
  return { grant, signer, signature, bytes };
}

function readOnward(reader: TextReader): Grant['onward'] {
  if (reader.nextIs('onward', 'no')) return reader.field('onward', noOnward);
  return reader.list('onward', keyApprovalForm);
}

/** What in the grant contradicts something else in it; undefined where nothing does. */
function contradiction(grant: Grant): string | undefined {
  const { basicUserKey, approval, move } = grant;
  if (grant.notAfter < grant.notBefore) return 'the grant ends before it begins';
  if (approval.length === 0 && move.length === 0) return 'the grant approves nothing';
  if (basicUserKey === 'any') {
    return approval.every((one) => one.basicUserKey === 'any')
      ? undefined
      : 'an approval names a key that "basic-user-key" does not list';
  }
  // An approval of any key beside a list would let the chip move more than the grant says.
  const listed = new Set<string>(basicUserKey);
  if (![...approval, ...move].every((one) => listed.has(one.basicUserKey))) {
    return 'an approval covers a key that "basic-user-key" does not list';
  }
  return undefined;
}
