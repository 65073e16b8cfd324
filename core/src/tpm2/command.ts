/**
 * Commands and responses on the wire (TPM 2.0 Part 1, clause 18; Part 3, clause 5): header, handles, authorization area,
 * parameters. A command says itself whether its first parameter, or that of its response, is a secret; such a command
 * cannot be put on the wire without a session that encrypts it. Leaves out what each command holds (`commands/`) and how
 * sessions compute (`session.ts`).
 */
import { equal } from '../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../bytes/reader.ts';
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { CC, digestBytes, SESSION, ST, type CommandName } from './constants.ts';
import { RC_SUCCESS, Tpm2Error } from './response-code.ts';
import type { Session } from './session.ts';

/** Something with a handle, and the Name that authorizations are computed over (Part 1, clause 16). */
export interface Entity {
  readonly handle: number;
  readonly name: Uint8Array;
}

/** A permanent handle or a session: its Name is its handle. */
export function entityOf(handle: number): Entity {
  return { handle, name: new ByteWriter().u32(handle).done() };
}

export interface Command<Response> {
  readonly name: CommandName;
  readonly handles: readonly Entity[];
  /** How many of the handles, from the first, need an authorization. */
  readonly authorized: number;
  readonly parameters: Uint8Array;
  /** Whether the first parameter (a TPM2B) is a secret. The parameters are cleared once they are encrypted. */
  readonly secretParameter?: boolean;
  /** Whether the first parameter of the response (a TPM2B) is a secret. */
  readonly secretResponse?: boolean;
  /** Whether the response has a handle, which is then an object or session to be flushed. */
  readonly givesHandle?: boolean;
  /** Reads the response's parameters; everything must be used. */
  readonly read: (reader: ByteReader, handle: number) => Response;
}

/** How one handle is authorized. */
export interface Authorization {
  readonly session: Session;
  /** The entity's authValue; undefined is an empty one. Owned by the caller. */
  readonly authValue?: SecretBytes;
  /** The session ends with this command, if it succeeds. */
  readonly ends?: boolean;
}

/** The TPM's answer was not one: it may not come from a TPM at all. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse';

  constructor(command: CommandName, problem: string) {
    super(`TPM2_${command}: the response ${problem}`);
  }
}

/** Longest TPM2B that this product reads from a TPM. */
export const maximumTpm2b = 4096;

/** A command as it goes on the wire, waiting for its response. */
export interface SentCommand {
  readonly bytes: Uint8Array;
  /** Checks and decrypts the response. `Tpm2Error`, `MalformedResponse`. */
  readonly receive: (response: Uint8Array) => ReceivedResponse;
}

export interface ReceivedResponse {
  readonly handle: number;
  /** Over the parameters. */
  readonly reader: ByteReader;
  /** Clears the parameters, which may be a secret, once they were read. */
  readonly clear: () => void;
}

/** Puts a command together. `random` makes the new nonces. RangeError where a secret would go in the clear. */
export function encodeCommand<Response>(
  command: Command<Response>,
  authorizations: readonly Authorization[],
  random: (length: number) => Uint8Array,
): SentCommand {
  if (authorizations.length !== command.authorized) throw new RangeError('one authorization for each handle');
  const [first] = authorizations;
  const encrypts = command.secretParameter ?? false;
  const decrypts = command.secretResponse ?? false;
  if ((encrypts || decrypts) && first?.session.encrypts !== true) {
    throw new RangeError(`TPM2_${command.name} would send a secret in the clear`);
  }
  for (const { session } of authorizations) session.begin(random);
  const parameters =
    encrypts && first !== undefined
      ? replaceFirst(command.parameters, (body) => first.session.encrypt(body, first.authValue))
      : command.parameters;
  if (encrypts) command.parameters.fill(0);

  const code = new ByteWriter().u32(CC[command.name]).done();
  const cpHash = sha256(code, ...command.handles.map(({ name }) => name), parameters);
  // Only the first session encrypts, so that no nonce of another one enters its HMAC (Part 1, clause 17.6.5).
  const attributes = authorizations.map(
    ({ ends }, index) =>
      (ends === true ? 0 : SESSION.continueSession) |
      (index === 0 && encrypts ? SESSION.decrypt : 0) |
      (index === 0 && decrypts ? SESSION.encrypt : 0),
  );
  const area = new ByteWriter();
  authorizations.forEach(({ session, authValue }, index) => {
    const bits = attributes[index] ?? 0;
    area.u32(session.handle).sized16(session.nonceCaller).u8(bits);
    area.sized16(session.commandHmac(cpHash, bits, authValue));
  });
  const body = new ByteWriter();
  for (const { handle } of command.handles) body.u32(handle);
  if (authorizations.length > 0) body.sized32(area.done());
  body.raw(parameters);
  const content = body.done();
  const tag = authorizations.length === 0 ? ST.NO_SESSIONS : ST.SESSIONS;
  const bytes = new ByteWriter()
    .u16(tag)
    .u32(10 + content.length)
    .raw(code)
    .raw(content)
    .done();
  return { bytes, receive: (response) => receive(command, code, authorizations, decrypts, response) };
}

function receive<Response>(
  command: Command<Response>,
  code: Uint8Array,
  authorizations: readonly Authorization[],
  decrypts: boolean,
  response: Uint8Array,
): ReceivedResponse {
  const onError = (problem: string): Error => new MalformedResponse(command.name, problem);
  const reader = new ByteReader(response, onError);
  const tag = reader.u16();
  if (reader.u32() !== response.length) throw onError('has another length than it says');
  const responseCode = reader.u32();
  if (responseCode !== RC_SUCCESS) throw new Tpm2Error(command.name, responseCode);
  if (tag !== (authorizations.length === 0 ? ST.NO_SESSIONS : ST.SESSIONS)) throw onError('has another tag');
  const handle = command.givesHandle === true ? reader.u32() : 0;
  if (authorizations.length === 0) return { handle, reader, clear: () => undefined };

  let parameters = reader.sized32(maximumTpm2b);
  const rpHash = sha256(new Uint8Array(4), code, parameters);
  for (const { session, authValue } of authorizations) {
    const nonce = reader.sized16(digestBytes);
    const attributes = reader.u8();
    const hmac = reader.sized16(digestBytes);
    // Who answers without knowing the salt is not the TPM to which it was encrypted.
    if (!equal(hmac, session.responseHmac(rpHash, nonce, attributes, authValue))) {
      throw onError('is not by the TPM that holds the session');
    }
  }
  reader.end();
  const [first] = authorizations;
  if (decrypts && first !== undefined) {
    parameters = replaceFirst(parameters, (body) => first.session.decrypt(body, first.authValue));
  }
  return { handle, reader: new ByteReader(parameters, onError), clear: () => parameters.fill(0) };
}

/** The parameters with the content of their first TPM2B replaced by one of the same length. */
function replaceFirst(parameters: Uint8Array, replace: (body: Uint8Array) => Uint8Array): Uint8Array {
  const reader = new ByteReader(parameters, (problem) => new RangeError(problem));
  const body = reader.sized16(maximumTpm2b);
  const replacement = replace(body);
  const replaced = new ByteWriter().sized16(replacement).raw(reader.rest()).done();
  for (const one of [body, replacement]) one.fill(0);
  return replaced;
}
