/**
 * The TPM as long as something of one chip is loaded in it: opened for the first who needs it, shared by all who need it
 * meanwhile, closed after the last, so that other programs get their turn. Holds the storage key that everything is under
 * and one HMAC session, salted to it, that authorizes and encrypts (design page 3, "TPM sessions").
 */
import { equal } from '../../bytes/bytes.ts';
import type { SecretBytes } from '../../bytes/secret-bytes.ts';
import { fail } from '../../domain/error.ts';
import type { Random } from '../../ports/surroundings.ts';
import type { Authorization, Entity } from '../../tpm2/command.ts';
import { TPM2_ReadPublic } from '../../tpm2/commands/object.ts';
import { TPM2_StartAuthSession, type Salt } from '../../tpm2/commands/session.ts';
import { missingBinding } from '../../tpm2/endorsement.ts';
import { nameOf } from '../../tpm2/name.ts';
import { Tpm2Error } from '../../tpm2/response-code.ts';
import { shareSecret } from '../../tpm2/secret-sharing.ts';
import { nonceCallerBytes, type Session, type SessionKind } from '../../tpm2/session.ts';
import type { EccPublic, RsaPublic } from '../../tpm2/structures.ts';
import { storageKeyArea } from '../../tpm2/templates.ts';
import { Connection } from './connection.ts';
import { isStorageDisabled } from './describe.ts';
import { toTransportFailure } from './to-error.ts';
import { TransportError, type OpenTransport } from './transport/transport.ts';

/** The TCG's handle of the storage key (TPM v2.0 Provisioning Guidance, clause 7.5.1). */
export const storageKeyHandle = 0x81000001;

/** The storage key of this TPM, found to be usable and the recorded one. */
export interface StorageKey extends Entity {
  readonly publicArea: Uint8Array;
  readonly area: EccPublic | RsaPublic;
}

export interface SharedTpmOptions {
  readonly open: OpenTransport;
  readonly random: Random;
  readonly delay: (ms: number) => Promise<unknown>;
  /** TPMT_PUBLIC of the storage key that was recorded at initialization; undefined before it. */
  readonly recorded: Uint8Array | undefined;
}

/** Use of the TPM between two points; release it on every path. */
export interface Lease {
  readonly tpm: OpenTpm;
  release(): Promise<void>;
}

export class SharedTpm {
  readonly #options: SharedTpmOptions;
  #open: Promise<OpenTpm> | undefined;
  #users = 0;
  /** The last closing: the next opening waits for it, as some TPMs have one client at a time. */
  #closed: Promise<void> = Promise.resolve();
  /** Found once: no other key can get the same Name. */
  #storageKey: StorageKey | undefined;

  constructor(options: SharedTpmOptions) {
    this.#options = options;
  }

  async lease(): Promise<Lease> {
    this.#users++;
    this.#open ??= this.#connect();
    let released = false;
    const release = async (): Promise<void> => {
      if (released) return;
      released = true;
      await this.#release();
    };
    try {
      return { tpm: await this.#open, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  async #connect(): Promise<OpenTpm> {
    await this.#closed;
    const { open, random, delay, recorded } = this.#options;
    try {
      const connection = new Connection({ transport: await open(), random, delay });
      return new OpenTpm(connection, random, recorded, this.#storageKey, (key) => {
        this.#storageKey = key;
      });
    } catch (error) {
      throw error instanceof TransportError ? toTransportFailure(error) : error;
    }
  }

  async #release(): Promise<void> {
    if (--this.#users > 0) return;
    const open = this.#open;
    this.#open = undefined;
    this.#closed = (async () => {
      // A failed opening was said to whoever asked for it.
      const tpm = await open?.catch(() => undefined);
      await tpm?.close();
    })();
    await this.#closed;
  }
}

export class OpenTpm {
  readonly connection: Connection;
  readonly #random: Random;
  readonly #recorded: Uint8Array | undefined;
  readonly #found: (key: StorageKey) => void;
  #storageKey: StorageKey | undefined;
  #session: Promise<Session> | undefined;
  readonly #sessions: Session[] = [];

  constructor(
    connection: Connection,
    random: Random,
    recorded: Uint8Array | undefined,
    storageKey: StorageKey | undefined,
    found: (key: StorageKey) => void,
  ) {
    this.connection = connection;
    this.#random = random;
    this.#recorded = recorded;
    this.#storageKey = storageKey;
    this.#found = found;
  }

  /** The storage key, or undefined where the TPM has none. `StorageKeyChanged`, `StorageKeyUnsuitable`, `ChipDisabled`. */
  async findStorageKey(): Promise<StorageKey | undefined> {
    return this.#storageKey ?? (await this.#findStorageKey());
  }

  /** Reads the storage key once more, after a refusal that may be about it. The same errors, and `ChipCleared`. */
  async requireStorageKeyAgain(platformPath: string): Promise<void> {
    const before = this.#recorded ?? this.#storageKey?.publicArea;
    const found = await this.#findStorageKey();
    if (found === undefined) throw fail('ChipCleared', { path: platformPath });
    if (before !== undefined && !equal(found.publicArea, before)) throw fail('StorageKeyChanged');
  }

  async #findStorageKey(): Promise<StorageKey | undefined> {
    const publicArea = await this.#readStorageKey();
    if (publicArea === undefined) return undefined;
    if (this.#recorded !== undefined && !equal(publicArea, this.#recorded)) throw fail('StorageKeyChanged');
    const area = storageKeyArea(publicArea);
    if (area === undefined) {
      throw fail('StorageKeyUnsuitable', { problem: 'it is of a kind that this program does not use' });
    }
    // Anybody who may use the TPM may have put it there; a key that can leave guards nothing, and its TPM keeps these bits.
    const missing = missingBinding(publicArea);
    if (missing !== undefined) {
      throw fail('StorageKeyUnsuitable', { problem: `it is not bound to this TPM (it lacks ${missing})` });
    }
    const key = { handle: storageKeyHandle, name: nameOf(publicArea), publicArea, area };
    this.#storageKey = key;
    this.#found(key);
    return key;
  }

  /** The storage key. `ChipCleared` where the recorded one is gone, `PlatformNotInitialized` where there never was one. */
  async storageKey(platformPath: string): Promise<StorageKey> {
    const key = await this.findStorageKey();
    if (key !== undefined) return key;
    throw this.#recorded === undefined
      ? fail('PlatformNotInitialized')
      : fail('ChipCleared', { path: platformPath });
  }

  /** The HMAC session for this authValue. Nothing secret leaves before the storage key is known to be the recorded one. */
  async authorize(key: StorageKey, authValue?: SecretBytes): Promise<Authorization> {
    this.#session ??= this.startSession('hmac', key);
    const session = await this.#session;
    return authValue === undefined ? { session } : { session, authValue };
  }

  /** A session without salt, for what is done before there is a storage key, and for entities without an authValue. */
  async authorizeEmpty(): Promise<Authorization> {
    return { session: await this.#startSession('hmac', undefined) };
  }

  /** A session of its own, salted to the storage key; flushed at the end of the connection unless it has ended before. */
  async startSession(kind: SessionKind, key: StorageKey): Promise<Session> {
    const { secret, encrypted } = shareSecret(key.area, 'SECRET', this.#random);
    using salt = secret;
    return await this.#startSession(kind, { key, secret: salt, encrypted });
  }

  async #startSession(kind: SessionKind, salt: Salt | undefined): Promise<Session> {
    const session = await this.connection.run(
      TPM2_StartAuthSession(kind, salt, this.#random(nonceCallerBytes)),
    );
    this.#sessions.push(session);
    return session;
  }

  async close(): Promise<void> {
    await this.connection.close();
    for (const session of this.#sessions) session.dispose();
  }

  async #readStorageKey(): Promise<Uint8Array | undefined> {
    try {
      return (await this.connection.run(TPM2_ReadPublic(storageKeyHandle))).publicArea;
    } catch (error) {
      if (!(error instanceof Tpm2Error && error.reason === 'HANDLE')) throw error;
      // A key in a hierarchy that is switched off is answered for as one that is not there (Part 1, clause 13.6).
      if (await isStorageDisabled(this.connection)) throw fail('ChipDisabled', {}, error);
      return undefined;
    }
  }
}
