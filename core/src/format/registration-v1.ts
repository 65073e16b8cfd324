/**
 * Registrations, docs/spec/registration.md: what a user (or an import) leaves in the drop folder so that the owner can
 * approve moves of this Basic User Key. Unsigned: who owns the file decides, not what it says. Leaves out that rule.
 */
import { maximumChainLength, type Registration } from '../domain/grant.ts';
import { hexBytes, publicArea, readAccount, writeAccount, yesNo } from './forms.ts';
import { maximumBytesOf } from './kind.ts';
import { TextReader, TextWriter } from './text.ts';

const nonce = hexBytes(16);

/** `ParameterInvalid` or `LimitExceeded` where the format cannot hold a value. */
export function encodeRegistration(registration: Registration): Uint8Array {
  const { grants } = registration;
  if (grants.length > maximumChainLength) throw new RangeError('a chain has at most 5 grants');
  if (grants.some((grant) => grant.length === 0)) throw new RangeError('a grant is not empty');
  const writer = new TextWriter('registration');
  writeAccount(writer, registration.account);
  writer
    .field('rehearsal', yesNo, registration.rehearsal)
    .field('basic-user-key', publicArea, registration.basicUserKey)
    .field('nonce', nonce, registration.nonce)
    .field('root-authority', publicArea, registration.rootAuthority);
  grants.forEach((grant, index) => writer.pieces('grant', grant, piecePrefix(index)));
  return writer.done();
}

/** `path` is for messages. `RegistrationMalformed`, `WrongFileKind`, `FileMangled`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeRegistration(bytes: Uint8Array, path: string): Registration {
  const reader = new TextReader(bytes, 'registration', path);
  const registration: Registration = {
    account: readAccount(reader),
    rehearsal: reader.field('rehearsal', yesNo),
    basicUserKey: reader.field('basic-user-key', publicArea),
    nonce: reader.field('nonce', nonce),
    rootAuthority: reader.field('root-authority', publicArea),
    grants: readGrants(reader),
  };
  reader.end();
  return registration;
}

function readGrants(reader: TextReader): readonly Uint8Array[] {
  const grants: Uint8Array[] = [];
  while (grants.length < maximumChainLength) {
    const grant = reader.pieces('grant', maximumBytesOf('grant'), piecePrefix(grants.length));
    if (grant.length === 0) break;
    grants.push(grant);
  }
  return grants;
}

/** Each piece of a grant begins with the grant's place in the chain, from 1. */
function piecePrefix(index: number): string {
  return `${String(index + 1)} `;
}
