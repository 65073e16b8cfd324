/**
 * Commands, sessions and response codes against what a TPM answered (test/vectors/tpm2/sessions-by-tpm.json): the same
 * inputs give the same bytes, and what was recorded is accepted, decrypted, and refused after any change.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../core/src/bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../../../core/src/bytes/reader.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import {
  encodeCommand,
  entityOf,
  MalformedResponse,
  type Authorization,
  type Command,
} from '../../../core/src/tpm2/command.ts';
import { TPM2_Create, TPM2_Load, TPM2_Unseal } from '../../../core/src/tpm2/commands/object.ts';
import { TPM2_FlushContext, TPM2_StartAuthSession } from '../../../core/src/tpm2/commands/session.ts';
import { OBJECT } from '../../../core/src/tpm2/constants.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { decodeResponseCode, Tpm2Error } from '../../../core/src/tpm2/response-code.ts';
import { Session } from '../../../core/src/tpm2/session.ts';
import { encodePublic } from '../../../core/src/tpm2/structures.ts';

interface Recorded {
  readonly storageKey: string;
  readonly salt: string;
  readonly encryptedSalt: string;
  readonly nonces: readonly string[];
  readonly exchanges: readonly (readonly [command: string, response: string])[];
}

interface Vectors {
  readonly authValue: string;
  readonly sealed: string;
  readonly ECC: Recorded;
  readonly RSA: Recorded;
}

const file = new URL('../../vectors/tpm2/sessions-by-tpm.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors;

function bytes(text: string | undefined): Uint8Array {
  const value = fromHex(text ?? 'none');
  if (value === undefined) throw new Error('not hex');
  return value;
}
const secret = (text: string): SecretBytes => new SecretBytes(bytes(text));
const noRandom = (): never => {
  throw new Error('nothing here is random');
};

/** One recorded conversation, played again. `change` may change a response before it is received. */
class Replay {
  readonly #recorded: Recorded;
  readonly #nonces: Uint8Array[];
  #next = 0;

  constructor(recorded: Recorded) {
    this.#recorded = recorded;
    this.#nonces = recorded.nonces.map(bytes);
  }

  nonce = (): Uint8Array => {
    const nonce = this.#nonces.shift();
    if (nonce === undefined) throw new Error('no nonce is left');
    return nonce;
  };

  run<Response>(
    command: Command<Response>,
    authorizations: readonly Authorization[],
    change: (response: Uint8Array) => Uint8Array = (response) => response,
  ): Response {
    const [sent, answered] = this.#recorded.exchanges[this.#next++] ?? [];
    const encoded = encodeCommand(command, authorizations, this.nonce);
    expect(toHex(encoded.bytes), command.name).toBe(sent);
    const { handle, reader } = encoded.receive(change(bytes(answered)));
    const response = command.read(reader, handle);
    reader.end();
    return response;
  }

  /** All of it: up to the item that can be unsealed. */
  untilUnseal(): { readonly item: ReturnType<typeof entityOf>; readonly authorization: Authorization } {
    const { storageKey, salt, encryptedSalt } = this.#recorded;
    const key = { handle: 0x81000001, name: nameOf(bytes(storageKey)) };
    using held = secret(salt);
    const start = TPM2_StartAuthSession(
      'hmac',
      { key, secret: held, encrypted: bytes(encryptedSalt) },
      this.nonce(),
    );
    const session = this.run(start, []);
    const template = encodePublic({
      type: 'KEYEDHASH',
      objectAttributes: OBJECT.fixedTPM | OBJECT.fixedParent | OBJECT.userWithAuth,
      authPolicy: new Uint8Array(),
      unique: new Uint8Array(),
    });
    const object = { template, authValue: secret(vectors.authValue), data: secret(vectors.sealed) };
    const created = this.run(TPM2_Create(key, object), [{ session }]);
    const item = this.run(TPM2_Load(key, created), [{ session }]);
    expect(toHex(item.name)).toBe(toHex(nameOf(created.public)));
    return { item, authorization: { session, authValue: secret(vectors.authValue) } };
  }
}

describe.each(['ECC', 'RSA'] as const)('a session with a TPM, salted to an %s key', (type) => {
  it('is computed to the byte, and what the TPM answers is understood', () => {
    const replay = new Replay(vectors[type]);
    const { item, authorization } = replay.untilUnseal();
    using opened = replay.run(TPM2_Unseal(item), [authorization]);
    expect(toHex(opened.reveal)).toBe(vectors.sealed);
    // The secret was never in the clear, nor was the authValue.
    for (const exchange of vectors[type].exchanges.flat()) {
      expect(exchange).not.toContain(vectors.sealed);
      expect(exchange).not.toContain('41'.repeat(30));
    }
  });

  it('refuses an answer with any single bit changed', () => {
    const length = (vectors[type].exchanges.at(-1)?.[1].length ?? 0) / 2;
    for (let at = 0; at < length; at++) {
      const replay = new Replay(vectors[type]);
      const { item, authorization } = replay.untilUnseal();
      const flip = (response: Uint8Array): Uint8Array => {
        response[at] = (response[at] ?? 0) ^ 1;
        return response;
      };
      expect(() => replay.run(TPM2_Unseal(item), [authorization], flip), `byte ${String(at)}`).toThrow(
        // A changed response code is a refusal; anything else is no answer of this TPM.
        at >= 6 && at < 10 ? Tpm2Error : MalformedResponse,
      );
    }
  });

  it('refuses an answer that is cut off or goes on', () => {
    for (const change of [
      (response: Uint8Array) => response.subarray(0, 9),
      (response: Uint8Array) => response.subarray(0, -1),
      (response: Uint8Array) => new ByteWriter().raw(response).u8(0).done(),
      () => new Uint8Array(),
    ]) {
      const replay = new Replay(vectors[type]);
      const { item, authorization } = replay.untilUnseal();
      expect(() => replay.run(TPM2_Unseal(item), [authorization], change)).toThrow(MalformedResponse);
    }
  });
});

describe('a command', () => {
  const unsalted = new Session(0x02000000, 'hmac', undefined, new Uint8Array(32), new Uint8Array(32));
  const item = { handle: 0x80000000, name: new Uint8Array(34) };

  it('with a secret goes nowhere without a session that encrypts', () => {
    using data = new SecretBytes(new Uint8Array(32));
    const parameters = { template: new Uint8Array(4), data };
    for (const session of [unsalted]) {
      expect(() => encodeCommand(TPM2_Create(item, parameters), [{ session }], noRandom)).toThrow(
        'in the clear',
      );
      expect(() => encodeCommand(TPM2_Unseal(item), [{ session }], noRandom)).toThrow('in the clear');
    }
    expect(() => encodeCommand(TPM2_Unseal(item), [], noRandom)).toThrow('one authorization');
  });

  it('clears a secret parameter once it is encrypted', () => {
    using salt = new SecretBytes(new Uint8Array(32).fill(1));
    using data = new SecretBytes(new Uint8Array(32).fill(0x77));
    const session = new Session(0x02000000, 'hmac', salt, new Uint8Array(32), new Uint8Array(32));
    const command = TPM2_Create(item, { template: new Uint8Array(4), data });
    expect(toHex(command.parameters)).toContain('7777');
    encodeCommand(command, [{ session }], (length) => new Uint8Array(length));
    expect(command.parameters.every((byte) => byte === 0)).toBe(true);
  });

  it('without sessions has the plain tag, and takes no answer with another', () => {
    const command = TPM2_FlushContext(0x80000000);
    const sent = encodeCommand(command, [], noRandom);
    expect(toHex(sent.bytes)).toBe('80010000000e0000016580000000');
    expect(sent.receive(bytes('80010000000a00000000')).reader.remaining).toBe(0);
    expect(() => sent.receive(bytes('80020000000a00000000'))).toThrow('another tag');
    expect(() => sent.receive(bytes('80010000000b00000000'))).toThrow('another length');
    expect(() => sent.receive(bytes('80010000000a0000018b'))).toThrow('TPM_RC_HANDLE (0x18b, handle 1)');
  });

  it('says where an answer ends too early', () => {
    const reader = new ByteReader(new Uint8Array(1), (problem) => new MalformedResponse('Load', problem));
    expect(() => reader.u16()).toThrow('TPM2_Load: the response ends too early');
  });
});

describe('response codes', () => {
  it.each([
    [0x99d, 'POLICY_FAIL', 'session', 1],
    [0x98e, 'AUTH_FAIL', 'session', 1],
    [0x9a2, 'BAD_AUTH', 'session', 1],
    [0x1c4, 'VALUE', 'parameter', 1],
    [0x4c4, 'VALUE', 'parameter', 4],
    [0x1d5, 'SIZE', 'parameter', 1],
    [0x3d5, 'SIZE', 'parameter', 3],
    [0x2db, 'SIGNATURE', 'parameter', 2],
    [0x3df, 'INTEGRITY', 'parameter', 3],
    [0x2d6, 'SYMMETRIC', 'parameter', 2],
    [0x285, 'HIERARCHY', 'handle', 2],
    [0x18b, 'HANDLE', 'handle', 1],
    [0x182, 'ATTRIBUTES', 'handle', 1],
    [0x0a5, 'BINDING', 'command', 0],
    [0x101, 'FAILURE', 'command', 0],
    [0x100, 'INITIALIZE', 'command', 0],
    [0x124, 'AUTH_TYPE', 'command', 0],
    [0x902, 'OBJECT_MEMORY', 'command', 0],
    [0x921, 'LOCKOUT', 'command', 0],
    [0x922, 'RETRY', 'command', 0],
    [0x14c, 'NV_DEFINED', 'command', 0],
    [0x17f, '0x17f', 'command', 0],
    [0x0bf, '0x0bf', 'command', 0],
  ] as const)('0x%s is %s', (code, name, kind, number) => {
    const expected = kind === 'command' ? { kind } : { kind, number };
    expect(decodeResponseCode(code)).toEqual({ name, subject: expected });
  });
});
