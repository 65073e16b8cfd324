/**
 * A Basic User Key loaded in a TPM. Everything that is asked of it the TPM decides; the stages of a hand-over are named
 * here only to say which of them it refused. One free slot is enough for each of its operations.
 */
import { equal, toHex } from '../../bytes/bytes.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { sha256 } from '../../crypto/hash.ts';
import type { KeyBlob } from '../../domain/environment.ts';
import { fail } from '../../domain/error.ts';
import type { Duplicate, DuplicationRequest, LoadedBasicUserKey, PolicyStep } from '../../ports/chip.ts';
import { aesCfbBytes } from '../../crypto/aes-cfb.ts';
import type { Command, Entity } from '../../tpm2/command.ts';
import { TPM2_Duplicate } from '../../tpm2/commands/duplication.ts';
import {
  TPM2_Create,
  TPM2_Load,
  TPM2_LoadExternal,
  TPM2_ObjectChangeAuth,
  TPM2_Unseal,
} from '../../tpm2/commands/object.ts';
import {
  TPM2_PolicyAuthorize,
  TPM2_PolicyAuthValue,
  TPM2_PolicyDuplicationSelect,
  TPM2_PolicyOR,
  TPM2_VerifySignature,
  type Ticket,
} from '../../tpm2/commands/policy.ts';
import { digestBytes } from '../../tpm2/constants.ts';
import { nameOf } from '../../tpm2/name.ts';
import { approvalMessage, moveDigest } from '../../tpm2/policy.ts';
import type { Session } from '../../tpm2/session.ts';
import { isVaultKey, vaultKeyTemplate } from '../../tpm2/templates.ts';
import type { Lease, StorageKey } from './shared-tpm.ts';
import type { Attempt, HandOverStage } from './to-error.ts';

export interface LoadedTpmKeyOptions {
  /** Released with the key. */
  readonly lease: Lease;
  readonly parent: StorageKey;
  readonly object: Entity;
  readonly publicArea: Uint8Array;
  /** Copied. */
  readonly authValue: SecretBytes;
  readonly translate: (
    error: unknown,
    attempt: Attempt,
    circumstances?: { readonly destination?: string },
  ) => Promise<unknown>;
}

export class LoadedTpmKey implements LoadedBasicUserKey {
  readonly #options: LoadedTpmKeyOptions;
  readonly #authValue: SecretBytes;
  #disposed = false;

  constructor(options: LoadedTpmKeyOptions) {
    this.#options = options;
    this.#authValue = SecretBytes.copyOf(options.authValue.reveal);
  }

  sealVaultKey(vaultKey: SecretBytes, authValue: SecretBytes): Promise<KeyBlob> {
    checkAuthValue(authValue);
    return this.#attempt('use', async () => {
      const object = { template: vaultKeyTemplate(), authValue, data: vaultKey };
      const created = await this.#run(TPM2_Create(this.#options.object, object), this.#authValue);
      if (!isVaultKey(created.public)) {
        throw fail('ChipFailed', { problem: 'it made another vault key than it was asked for' });
      }
      return created;
    });
  }

  openVaultKey(blob: KeyBlob, authValue: SecretBytes): Promise<SecretBytes> {
    if (!isVaultKey(blob.public)) {
      return Promise.reject(fail('ChipFailed', { problem: 'this is not a vault key' }));
    }
    return this.#attempt('use', async () => {
      const item = await this.#run(TPM2_Load(this.#options.object, blob), this.#authValue);
      return await this.#connection.whileLoaded(item, () => this.#run(TPM2_Unseal(item), authValue));
    });
  }

  changeAuth(authValue: SecretBytes): Promise<KeyBlob> {
    checkAuthValue(authValue);
    return this.#attempt('use', async () => {
      const { object, parent, publicArea } = this.#options;
      const changed = await this.#run(TPM2_ObjectChangeAuth(object, parent, authValue), this.#authValue);
      return { public: publicArea, private: changed };
    });
  }

  async duplicate(request: DuplicationRequest): Promise<Duplicate> {
    if (request.innerKey.length !== aesCfbBytes) throw new RangeError('an inner key has 16 bytes');
    // Stages name themselves; whatever else fails (sessions, taking out what was loaded) is the TPM's own matter.
    return await this.#attempt('chip', () => this.#duplicate(request));
  }

  async #duplicate(request: DuplicationRequest): Promise<Duplicate> {
    const session = await this.#options.lease.tpm.startSession('policy', this.#options.parent);
    return await this.#connection.whileLoaded(session, async () => {
      await this.#satisfyPolicy(session, request);
      const parent = await this.#stage('parent', request, TPM2_LoadExternal(request.newParent));
      const command = TPM2_Duplicate(this.#options.object, parent, request.innerKey);
      const authorization = { session, authValue: this.#authValue, ends: true };
      return await this.#connection.whileLoaded(parent, () =>
        this.#attempt('duplicate', () => this.#connection.run(command, authorization), request),
      );
    });
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#authValue.dispose();
    try {
      await this.#connection.flush(this.#options.object.handle);
    } catch {
      // What it was loaded for is done or has failed already; the connection tries once more when it is closed.
    } finally {
      await this.#options.lease.release();
    }
  }

  /** The order of the key's policy (docs/spec/chip.md, "Policy"): what, whose approvals, which branch, the user. */
  async #satisfyPolicy(session: Session, request: DuplicationRequest): Promise<void> {
    const { object } = this.#options;
    const newParent = nameOf(request.newParent);
    const [move] = request.steps;
    const objectIncluded =
      move !== undefined && equal(move.approvedPolicy, moveDigest(object.name, newParent));
    const select = TPM2_PolicyDuplicationSelect(session, object.name, newParent, objectIncluded);
    await this.#stage('select', request, select);
    for (const step of request.steps) {
      const { approvedPolicy, policyRef } = step;
      const { keySign, ticket } = await this.#verify(step, request);
      const authorize = TPM2_PolicyAuthorize(session, approvedPolicy, policyRef, keySign, ticket);
      await this.#stage('approval', request, authorize);
    }
    await this.#stage('branch', request, TPM2_PolicyOR(session, request.branches));
    await this.#stage('duplicate', request, TPM2_PolicyAuthValue(session));
  }

  async #verify(
    { authority, approvedPolicy, policyRef, signature }: PolicyStep,
    request: DuplicationRequest,
  ): Promise<{ readonly keySign: Uint8Array; readonly ticket: Ticket }> {
    const key = await this.#stage('signer', request, TPM2_LoadExternal(authority));
    const digest = sha256(approvalMessage(approvedPolicy, policyRef));
    const verify = TPM2_VerifySignature(key, digest, signature);
    const ticket = await this.#connection.whileLoaded(key, () => this.#stage('signature', request, verify));
    return { keySign: key.name, ticket };
  }

  #stage<Response>(
    stage: HandOverStage,
    request: DuplicationRequest,
    command: Command<Response>,
  ): Promise<Response> {
    return this.#attempt(stage, () => this.#connection.run(command), request);
  }

  async #run<Response>(command: Command<Response>, authValue: SecretBytes): Promise<Response> {
    try {
      const authorization = await this.#options.lease.tpm.authorize(this.#options.parent, authValue);
      return await this.#connection.run(command, authorization);
    } finally {
      if (command.secretParameter === true) command.parameters.fill(0);
    }
  }

  async #attempt<Value>(
    attempt: Attempt,
    work: () => Promise<Value>,
    request?: DuplicationRequest,
  ): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      const circumstances =
        request === undefined ? {} : { destination: `the storage key ${toHex(nameOf(request.newParent))}` };
      throw await this.#options.translate(error, attempt, circumstances);
    }
  }

  get #connection() {
    return this.#options.lease.tpm.connection;
  }
}

function checkAuthValue(authValue: SecretBytes): void {
  if (authValue.length > digestBytes) throw new RangeError('an authValue has at most 32 bytes');
}
