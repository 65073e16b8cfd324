/**
 * A TPM 2.0 behind the port `chip`. It asks the TPM and decides nothing itself: whether an approval, a password or a blob
 * is right is the TPM's answer, translated by `to-error.ts`. Keys are made and kept under the storage key at 0x81000001;
 * secrets cross the bus only in sessions salted to that key, and nothing stays loaded (`shared-tpm.ts`, `connection.ts`).
 * Leaves out whether a hand-over should be asked for at all (`sealing/chain.ts`).
 */
import type { SecretBytes } from '../../bytes/secret-bytes.ts';
import type { KeyBlob } from '../../domain/environment.ts';
import { fail } from '../../domain/error.ts';
import type {
  Chip,
  ChipDescription,
  Credential,
  Duplicate,
  Endorsement,
  LoadedBasicUserKey,
} from '../../ports/chip.ts';
import type { Random } from '../../ports/surroundings.ts';
import type { Entity } from '../../tpm2/command.ts';
import { TPM2_Import } from '../../tpm2/commands/duplication.ts';
import { TPM2_Create, TPM2_CreatePrimary, TPM2_EvictControl, TPM2_Load } from '../../tpm2/commands/object.ts';
import { digestBytes, RH } from '../../tpm2/constants.ts';
import { Tpm2Error } from '../../tpm2/response-code.ts';
import { decodePublic } from '../../tpm2/structures.ts';
import { basicUserKeyTemplate, isBasicUserKey, storageKeyTemplate } from '../../tpm2/templates.ts';
import { describeTpm, lockOutOf, lockOutWords } from './describe.ts';
import { activate, findEndorsement } from './endorsement.ts';
import { LoadedTpmKey } from './loaded-key.ts';
import { SharedTpm, storageKeyHandle, type OpenTpm } from './shared-tpm.ts';
import { concernsStorageKey, toError, type Attempt } from './to-error.ts';
import { TransportError, type OpenTransport } from './transport/transport.ts';

export interface Tpm2ChipOptions {
  /** The way to the TPM; undefined where this computer has none that could be asked. Called when it is first needed. */
  readonly find: () => OpenTransport | undefined;
  readonly random: Random;
  /** Waits that many milliseconds. */
  readonly delay: (ms: number) => Promise<unknown>;
  /** TPMT_PUBLIC of the storage key that was recorded at initialization; another one is `StorageKeyChanged`. */
  readonly recorded?: Uint8Array | undefined;
  /** The platform's folder, for messages. */
  readonly platformPath: string;
}

/** The chip of one platform. Opens the TPM when it is first asked something. */
export function createTpm2Chip(options: Tpm2ChipOptions): Chip {
  return new Tpm2Chip(options);
}

class Tpm2Chip implements Chip {
  readonly #tpm: SharedTpm;
  readonly #platformPath: string;
  readonly #isInitialized: boolean;

  constructor({ find, random, delay, recorded, platformPath }: Tpm2ChipOptions) {
    const open: OpenTransport = async () => {
      const found = find();
      if (found === undefined) throw new TransportError('absent', 'nothing on this computer leads to one');
      return await found();
    };
    this.#tpm = new SharedTpm({ open, random, delay, recorded });
    this.#platformPath = platformPath;
    this.#isInitialized = recorded !== undefined;
  }

  describe(): Promise<ChipDescription> {
    return this.#with('chip', (tpm) => describeTpm(tpm.connection));
  }

  provision(): Promise<Uint8Array> {
    return this.#with('provision', async (tpm) => {
      const present = await tpm.findStorageKey();
      if (present !== undefined) return present.publicArea;
      await makeStorageKey(tpm);
      const { publicArea } = await tpm.storageKey(this.#platformPath);
      return publicArea;
    });
  }

  storageKey(): Promise<Uint8Array> {
    return this.#with('chip', async (tpm) => (await tpm.storageKey(this.#platformPath)).publicArea);
  }

  createBasicUserKey(policy: Uint8Array, authValue: SecretBytes): Promise<KeyBlob> {
    checkAuthValue(authValue);
    return this.#with('create', async (tpm) => {
      const parent = await tpm.storageKey(this.#platformPath);
      // Before the command is put together, whose parameters hold the authValue.
      const authorization = await tpm.authorize(parent);
      const created = await tpm.connection.run(
        TPM2_Create(parent, { template: basicUserKeyTemplate(policy), authValue }),
        authorization,
      );
      if (!isBasicUserKey(created.public, policy)) {
        throw fail('ChipFailed', { problem: 'it made another key than it was asked for' });
      }
      return created;
    });
  }

  importBasicUserKey(publicArea: Uint8Array, handedOver: Duplicate, innerKey: SecretBytes): Promise<KeyBlob> {
    requireBasicUserKey(publicArea);
    return this.#with('import', async (tpm) => {
      const parent = await tpm.storageKey(this.#platformPath);
      const authorization = await tpm.authorize(parent);
      const imported = await tpm.connection.run(
        TPM2_Import(parent, publicArea, handedOver, innerKey),
        authorization,
      );
      const blob = { public: publicArea, private: imported };
      // Whether the two halves belong together some TPMs find out only now (Part 3, clause 13.3.1).
      const { handle } = await tpm.connection.run(TPM2_Load(parent, blob), authorization);
      await tpm.connection.flush(handle);
      return blob;
    });
  }

  async loadBasicUserKey(blob: KeyBlob, authValue: SecretBytes): Promise<LoadedBasicUserKey> {
    requireBasicUserKey(blob.public);
    const lease = await this.#tpm.lease();
    try {
      const parent = await lease.tpm.storageKey(this.#platformPath);
      const object: Entity = await lease.tpm.connection.run(
        TPM2_Load(parent, blob),
        await lease.tpm.authorize(parent),
      );
      return new LoadedTpmKey({
        lease,
        parent,
        object,
        publicArea: blob.public,
        authValue,
        translate: (error, attempt, circumstances) =>
          this.#translate(lease.tpm, error, attempt, circumstances),
      });
    } catch (error) {
      const translated = await this.#translate(lease.tpm, error, 'load');
      await lease.release();
      throw translated;
    }
  }

  endorsement(): Promise<Endorsement> {
    return this.#with('endorse', (tpm) => findEndorsement(tpm, this.#platformPath));
  }

  activateCredential(credential: Credential): Promise<SecretBytes> {
    return this.#with('activate', (tpm) => activate(tpm, credential, this.#platformPath));
  }

  async #with<Value>(attempt: Attempt, work: (tpm: OpenTpm) => Promise<Value>): Promise<Value> {
    const lease = await this.#tpm.lease();
    try {
      return await work(lease.tpm);
    } catch (error) {
      throw await this.#translate(lease.tpm, error, attempt);
    } finally {
      await lease.release();
    }
  }

  async #translate(
    tpm: OpenTpm,
    error: unknown,
    attempt: Attempt,
    more: { readonly destination?: string } = {},
  ): Promise<unknown> {
    const circumstances = { ...more, storageKeyServed: this.#isInitialized };
    if (!(error instanceof Tpm2Error)) return toError(error, attempt, circumstances);
    try {
      if (concernsStorageKey(error, attempt)) await tpm.requireStorageKeyAgain(this.#platformPath);
      if (error.reason !== 'LOCKOUT') return toError(error, attempt, circumstances);
      const lockOut = lockOutWords(await lockOutOf(tpm.connection));
      return toError(error, attempt, { ...circumstances, lockOut });
    } catch (other) {
      return toError(other, 'chip');
    }
  }
}

/** The TCG's ECC storage key, kept for every program of this computer. */
async function makeStorageKey(tpm: OpenTpm): Promise<void> {
  const { connection } = tpm;
  const owner = await tpm.authorizeEmpty();
  const made = await connection.run(TPM2_CreatePrimary(RH.OWNER, storageKeyTemplate()), owner);
  await connection.whileLoaded(made, async () => {
    try {
      await connection.run(TPM2_EvictControl(made, storageKeyHandle), owner);
    } catch (error) {
      // Another program was quicker: its key is the storage key then.
      if (!(error instanceof Tpm2Error && error.reason === 'NV_DEFINED')) throw error;
    }
  });
}

function requireBasicUserKey(publicArea: Uint8Array): void {
  const area = decodePublic(publicArea);
  if (area?.type !== 'ECC' || !isBasicUserKey(publicArea, area.authPolicy)) {
    throw fail('ChipFailed', { problem: 'this is not a Basic User Key' });
  }
}

function checkAuthValue(authValue: SecretBytes): void {
  if (authValue.length > digestBytes) throw new RangeError('an authValue has at most 32 bytes');
}
