/**
 * A TPM asked command by command, in any order and with any parameter: for questions that our own chip never asks, such as a
 * policy without the user, a ticket of another time, or a hand-over into the clear. Every connection ends with nothing loaded.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ByteReader, ByteWriter } from '../../../core/src/bytes/reader.ts';
import type { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import { Connection } from '../../../core/src/adapters/chip-tpm2/connection.ts';
import { OpenTpm, type StorageKey } from '../../../core/src/adapters/chip-tpm2/shared-tpm.ts';
import type { Transport } from '../../../core/src/adapters/chip-tpm2/transport/transport.ts';
import { sha256 } from '../../../core/src/crypto/hash.ts';
import type { KeyBlob } from '../../../core/src/domain/environment.ts';
import type { Duplicate, PolicyStep } from '../../../core/src/ports/chip.ts';
import { entityOf, type Authorization, type Command, type Entity } from '../../../core/src/tpm2/command.ts';
import { TPM2_Duplicate, TPM2_Import } from '../../../core/src/tpm2/commands/duplication.ts';
import { TPM2_Load, TPM2_LoadExternal } from '../../../core/src/tpm2/commands/object.ts';
import {
  TPM2_PolicyAuthorize,
  TPM2_PolicyAuthValue,
  TPM2_PolicyDuplicationSelect,
  TPM2_PolicyOR,
  TPM2_VerifySignature,
  type Ticket,
} from '../../../core/src/tpm2/commands/policy.ts';
import { ALG, CC, RH, type CommandName } from '../../../core/src/tpm2/constants.ts';
import { approvalMessage } from '../../../core/src/tpm2/policy.ts';
import { Tpm2Error } from '../../../core/src/tpm2/response-code.ts';
import type { Session } from '../../../core/src/tpm2/session.ts';
import { random } from '../swtpm.ts';
import { policyCommandCode } from './command-code.ts';
import { auth, innerKey, type Place, type RefusalWorld, type UserKey } from './world.ts';

/** Opens a place's TPM, works with it and closes it, whatever happens. */
export async function byHand<Value>(
  { tpm }: Place,
  work: (hand: TpmByHand) => Promise<Value>,
): Promise<Value> {
  const transport = await tpm.open();
  const connection = new Connection({ transport, random, delay });
  const open = new OpenTpm(connection, random, undefined, undefined, () => undefined);
  try {
    return await work(new TpmByHand(transport, open, await open.storageKey('')));
  } finally {
    await open.close();
  }
}

export class TpmByHand {
  readonly #transport: Transport;
  readonly #open: OpenTpm;
  readonly storageKey: StorageKey;

  constructor(transport: Transport, open: OpenTpm, storageKey: StorageKey) {
    this.#transport = transport;
    this.#open = open;
    this.storageKey = storageKey;
  }

  run<Response>(command: Command<Response>, ...authorizations: Authorization[]): Promise<Response> {
    return this.#open.connection.run(command, ...authorizations);
  }

  authorize(authValue?: SecretBytes): Promise<Authorization> {
    return this.#open.authorize(this.storageKey, authValue);
  }

  async load(blob: KeyBlob): Promise<Entity> {
    return this.run(TPM2_Load(this.storageKey, blob), await this.authorize());
  }

  flush({ handle }: { readonly handle: number }): Promise<void> {
    return this.#open.connection.flush(handle);
  }

  policySession(): Promise<Session> {
    return this.#open.startSession('policy', this.storageKey);
  }

  /** Whose word a signature is, and the TPM's word that it is valid. */
  async verify(
    { authority, approvedPolicy, policyRef, signature }: PolicyStep,
    hierarchy: number = RH.OWNER,
  ): Promise<Verified> {
    const command = TPM2_LoadExternal(authority);
    const area = command.parameters.slice(0, -4);
    const parameters = new ByteWriter().raw(area).u32(hierarchy).done();
    const key = await this.run({ ...command, parameters });
    try {
      const digest = sha256(approvalMessage(approvedPolicy, policyRef));
      return { keySign: key.name, ticket: await this.run(TPM2_VerifySignature(key, digest, signature)) };
    } finally {
      await this.flush(key);
    }
  }

  /** PolicyAuthorize of a step; with the ticket or signer's Name of somebody else where one is given. */
  async approve(session: Session, step: PolicyStep, other: Partial<Verified> = {}): Promise<void> {
    const { keySign, ticket } = { ...(other.ticket === undefined && (await this.verify(step))), ...other };
    if (keySign === undefined || ticket === undefined) throw new Error('a ticket needs its signer');
    await this.run(TPM2_PolicyAuthorize(session, step.approvedPolicy, step.policyRef, keySign, ticket));
  }

  /** PolicyCommandCode: the way in which an authority could approve any command. */
  policyCommandCode(session: Session, command: CommandName): Promise<void> {
    return this.#send(policyCommandCode, session.handle, new ByteWriter().u32(CC[command]).done());
  }

  /** A command on one handle without authorizations, which the client does not have. */
  async #send(code: number, handle: number, parameters: Uint8Array): Promise<void> {
    const size = 14 + parameters.length;
    const bytes = new ByteWriter().u16(0x8001).u32(size).u32(code).u32(handle).raw(parameters).done();
    const reader = new ByteReader(await this.#transport.send(bytes, 10_000), (what) => new Error(what));
    reader.take(6);
    const responseCode = reader.u32();
    // The name of a command that the client has; the code is what counts.
    if (responseCode !== 0) throw new Tpm2Error('PolicyAuthorize', responseCode);
  }
}

export interface Verified {
  /** Name of the signer. */
  readonly keySign: Uint8Array;
  readonly ticket: Ticket;
}

type Tail = 'or' | 'authValue';

/** A hand-over whose policy session is made in any way. */
export interface HandOverByHand {
  readonly at: Place;
  readonly key: UserKey;
  readonly blob: KeyBlob;
  /** The new parent that the policy is told of. */
  readonly selected: Place;
  /** The new parent that the key is duplicated to; undefined: none (TPM_RH_NULL). Default: the selected one. */
  readonly to?: Place | undefined;
  readonly steps: readonly PolicyStep[];
  /** Before the step with this number comes PolicyAuthValue. */
  readonly authValueBefore?: number;
  /** What follows the steps. */
  readonly tail?: readonly Tail[];
  readonly branches?: readonly Uint8Array[];
  /** Of the last step. */
  readonly verified?: (hand: TpmByHand) => Promise<Partial<Verified>>;
  readonly withoutInnerWrapper?: boolean;
}

/** Hands a key over as the question says. */
export function handOverByHand(question: HandOverByHand): Promise<Duplicate> {
  const { at, key, blob, selected, steps, tail = ['or', 'authValue'], branches = key.branches } = question;
  return byHand(at, async (hand) => {
    const object = await hand.load(blob);
    const session = await hand.policySession();
    await hand.run(TPM2_PolicyDuplicationSelect(session, key.name, selected.name, false));
    for (const [index, step] of steps.entries()) {
      if (question.authValueBefore === index) await hand.run(TPM2_PolicyAuthValue(session));
      const isLast = index === steps.length - 1;
      await hand.approve(session, step, isLast ? await question.verified?.(hand) : undefined);
    }
    for (const each of tail) {
      const command = each === 'or' ? TPM2_PolicyOR(session, branches) : TPM2_PolicyAuthValue(session);
      await hand.run(command);
    }
    const to = 'to' in question ? question.to : selected;
    const newParent = to === undefined ? entityOf(RH.NULL) : await hand.run(TPM2_LoadExternal(to.storageKey));
    const command = TPM2_Duplicate(object, newParent, innerKey);
    const asked = question.withoutInnerWrapper === true ? withoutWrapper(command) : command;
    return hand.run(asked, { session, authValue: auth });
  });
}

/** No key of ours, no symmetric algorithm. */
function withoutWrapper<Response>(command: Command<Response>): Command<Response> {
  return { ...command, parameters: new ByteWriter().u16(0).u16(ALG.NULL).done(), secretParameter: false };
}

/** Takes a handed-over key, with any public area. */
export function importByHand(at: Place, area: Uint8Array, handedOver: Duplicate): Promise<Uint8Array> {
  return byHand(at, async (hand) =>
    hand.run(TPM2_Import(hand.storageKey, area, handedOver, innerKey), await hand.authorize()),
  );
}

/** Takes a handed-over key without saying what opens its inner wrapper. */
export function importWithoutInnerKey(
  at: Place,
  area: Uint8Array,
  handedOver: Duplicate,
): Promise<Uint8Array> {
  const { duplicate, seed } = handedOver;
  const parameters = new ByteWriter().u16(0).sized16(area).sized16(duplicate).sized16(seed).u16(ALG.NULL);
  return byHand(at, async (hand) => {
    const command = TPM2_Import(hand.storageKey, area, handedOver, innerKey);
    const asked = { ...command, parameters: parameters.done(), secretParameter: false };
    return hand.run(asked, await hand.authorize());
  });
}

/** Where the second place is told of and the key is on the first. */
export function fromFirst({ a, b, one, root }: RefusalWorld): HandOverByHand {
  return { at: a, key: one, blob: one.blobs.a, selected: b, steps: [root.grant(b.name)] };
}
