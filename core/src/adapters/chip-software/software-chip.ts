/**
 * The software chip: the same structures, blobs and policy as a TPM (port `chip`), with the storage key in a file that
 * the computer's users can read. Every rule a TPM would enforce is enforced here in code: the authValue, the policy of
 * a duplication, the inner wrapper. What it cannot give is a guard against programs: an account that may use it can
 * read its storage key, which `describe` says.
 * Leaves out: sealing the Basic User Key's blob under the at-rest key (`sealing/environment.ts`) and lock-out counters.
 */
import { join } from 'node:path';
import { toHex } from '../../bytes/bytes.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { aesCfbBytes } from '../../crypto/aes-cfb.ts';
import { generateAgreementKey } from '../../crypto/ecdh.ts';
import type { KeyBlob } from '../../domain/environment.ts';
import { fail, hasCode, type SPMigrationError } from '../../domain/error.ts';
import type {
  Chip,
  ChipDescription,
  Duplicate,
  DuplicationRequest,
  LoadedBasicUserKey,
} from '../../ports/chip.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { MachineProtection } from '../../ports/machine-protection.ts';
import type { Random } from '../../ports/surroundings.ts';
import { isBoundTo, sealedUnique } from '../../tpm2/binding.ts';
import { digestBytes } from '../../tpm2/constants.ts';
import { unwrapDuplicate, wrapDuplicate } from '../../tpm2/duplication.ts';
import { evaluateChain, type ChainReason } from '../../tpm2/evaluate.ts';
import { nameOf } from '../../tpm2/name.ts';
import { unwrapChild, wrapChild } from '../../tpm2/protection.ts';
import { Sensitive } from '../../tpm2/sensitive.ts';
import { decodePublic, type EccPublic } from '../../tpm2/structures.ts';
import {
  basicUserKeyTemplate,
  isBasicUserKey,
  isVaultKey,
  storageKeyArea,
  vaultKeyTemplate,
} from '../../tpm2/templates.ts';
import { generateStorageKey, type StorageKey } from './storage-key.ts';
import {
  findStorageKey,
  isBoundToMachine,
  readStorageKey,
  removeLeftOvers,
  setStorageKeyAside,
  writeStorageKey,
  type StorageKeyPlace,
} from './storage-key-file.ts';

const fileName = 'storage-key';

export interface SoftwareChipOptions {
  /** Where the storage key file lies: the platform's `public/` folder. */
  readonly folder: string;
  readonly disk: FileSystem;
  /** Seeds and initialisation vectors. ECC keys come from node:crypto. */
  readonly random: Random;
  /** What encrypts the storage key's file for this computer, where the system has that. */
  readonly protection?: MachineProtection;
  /** What is added to the description of how strongly owner and user are separated. */
  readonly enforcementNote?: string;
}

/** The chip whose storage key lies in `folder`. */
export function createSoftwareChip(options: SoftwareChipOptions): Chip {
  return new SoftwareChip(options);
}

const enforcement =
  'By this program: the operating system alone keeps other programs from the storage key, which every account that ' +
  'may use the chip can read.';

const boundToMachine =
  'Windows opens the file of that key on this computer only, so that a copy of it is of no use.';

class SoftwareChip implements Chip {
  readonly #place: StorageKeyPlace;
  readonly #random: Random;
  readonly #note: string | undefined;

  constructor({ folder, disk, random, protection, enforcementNote }: SoftwareChipOptions) {
    const path = join(folder, fileName);
    this.#place = { disk, path, ...(protection !== undefined && { protection }) };
    this.#random = random;
    this.#note = enforcementNote;
  }

  async describe(): Promise<ChipDescription> {
    const bound = await isBoundToMachine(this.#place);
    const sentences = [enforcement, bound ? boundToMachine : undefined, this.#note];
    const said = sentences.filter((sentence) => sentence !== undefined).join(' ');
    return { kind: 'software', model: 'Software chip', enforcement: said };
  }

  endorsement(): Promise<never> {
    return Promise.reject(fail('AttestationUnsupported'));
  }

  activateCredential(): Promise<never> {
    return Promise.reject(fail('AttestationUnsupported'));
  }

  async provision(): Promise<Uint8Array> {
    using key = (await this.#findUsableKey()) ?? (await this.#writeNewKey());
    await removeLeftOvers(this.#place);
    return key.public;
  }

  /** One that the system does not open on this computer is no key of it any more. */
  async #findUsableKey(): Promise<StorageKey | undefined> {
    try {
      return await findStorageKey(this.#place);
    } catch (error) {
      if (!hasCode(error, 'StorageKeyNotOpened')) throw error;
      await setStorageKeyAside(this.#place, this.#random);
      return undefined;
    }
  }

  async #writeNewKey(): Promise<StorageKey> {
    using fresh = generateStorageKey(this.#random);
    return await writeStorageKey(this.#place, fresh, this.#random);
  }

  async storageKey(): Promise<Uint8Array> {
    using key = await readStorageKey(this.#place);
    return key.public;
  }

  async createBasicUserKey(policy: Uint8Array, authValue: SecretBytes): Promise<KeyBlob> {
    checkAuthValue(authValue);
    using parent = await readStorageKey(this.#place);
    const { privateKey, x, y } = generateAgreementKey();
    using key = new Sensitive('ECC', copy(authValue), this.#seed(), privateKey);
    return this.#childOf(parent, basicUserKeyTemplate(policy, { x, y }), key);
  }

  async importBasicUserKey(
    publicArea: Uint8Array,
    handedOver: Duplicate,
    innerKey: SecretBytes,
  ): Promise<KeyBlob> {
    const area = basicUserKeyArea(publicArea);
    checkInnerKey(innerKey);
    using parent = await readStorageKey(this.#place);
    const unwrapped = unwrapDuplicate(parent, publicArea, handedOver, innerKey);
    if (unwrapped.kind === 'refused') {
      throw unwrapped.wrapper === 'inner' ? passwordRejected('the source platform') : notForThisPlatform();
    }
    using key = unwrapped.object;
    if (!isBoundTo(area, key)) throw notForThisPlatform();
    return this.#childOf(parent, publicArea, key);
  }

  async loadBasicUserKey(blob: KeyBlob, authValue: SecretBytes): Promise<LoadedBasicUserKey> {
    const area = basicUserKeyArea(blob.public);
    using parent = await readStorageKey(this.#place);
    const key = unwrapChild(parent.seedValue, blob.public, blob.private);
    if (key === undefined) throw fail('StorageKeyChanged');
    if (!isBoundTo(area, key)) throw chipFailed('private and public part of the Basic User Key differ');
    return new LoadedKey(area, blob.public, key, authValue, this.#random, (changed) =>
      this.#wrapAgain(blob.public, changed),
    );
  }

  async #wrapAgain(publicArea: Uint8Array, changed: Sensitive): Promise<KeyBlob> {
    using parent = await readStorageKey(this.#place);
    return this.#childOf(parent, publicArea, changed);
  }

  #childOf(parent: StorageKey, publicArea: Uint8Array, key: Sensitive): KeyBlob {
    const iv = this.#random(aesCfbBytes);
    return { public: publicArea, private: wrapChild(parent.seedValue, publicArea, key, iv) };
  }

  #seed(): SecretBytes {
    return new SecretBytes(this.#random(digestBytes));
  }
}

class LoadedKey implements LoadedBasicUserKey {
  readonly #area: EccPublic;
  readonly #publicArea: Uint8Array;
  readonly #key: Sensitive;
  /** Whether the authValue given at loading is the key's. Like a TPM, it is not told before the key is used. */
  readonly #authorized: boolean;
  readonly #random: Random;
  /** Puts the key under the storage key once more. */
  readonly #wrap: (key: Sensitive) => Promise<KeyBlob>;

  constructor(
    area: EccPublic,
    publicArea: Uint8Array,
    key: Sensitive,
    authValue: SecretBytes,
    random: Random,
    wrap: (key: Sensitive) => Promise<KeyBlob>,
  ) {
    this.#area = area;
    this.#publicArea = publicArea;
    this.#key = key;
    this.#authorized = key.isAuthorizedBy(authValue);
    this.#random = random;
    this.#wrap = wrap;
  }

  async sealVaultKey(vaultKey: SecretBytes, authValue: SecretBytes): Promise<KeyBlob> {
    await this.#demandAuthorization();
    checkAuthValue(authValue);
    const seedValue = new SecretBytes(this.#random(digestBytes));
    using sealed = new Sensitive('KEYEDHASH', copy(authValue), seedValue, copy(vaultKey));
    const publicArea = vaultKeyTemplate(sealedUnique(sealed));
    const iv = this.#random(aesCfbBytes);
    return { public: publicArea, private: wrapChild(this.#key.seedValue, publicArea, sealed, iv) };
  }

  async openVaultKey(blob: KeyBlob, authValue: SecretBytes): Promise<SecretBytes> {
    await this.#demandAuthorization();
    const area = decodePublic(blob.public);
    if (area === undefined || !isVaultKey(blob.public)) throw chipFailed('this is not a vault key');
    using sealed = unwrapChild(this.#key.seedValue, blob.public, blob.private);
    if (sealed === undefined || !isBoundTo(area, sealed)) {
      throw chipFailed('the vault key is not of this Basic User Key, or was changed');
    }
    if (!sealed.isAuthorizedBy(authValue)) throw passwordRejected('this platform');
    return copy(sealed.sensitive);
  }

  async changeAuth(authValue: SecretBytes): Promise<KeyBlob> {
    await this.#demandAuthorization();
    checkAuthValue(authValue);
    const { sensitiveType, seedValue, sensitive } = this.#key;
    using changed = new Sensitive(sensitiveType, copy(authValue), copy(seedValue), copy(sensitive));
    return await this.#wrap(changed);
  }

  duplicate(request: DuplicationRequest): Promise<Duplicate> {
    return Promise.resolve().then(() => this.#duplicate(request));
  }

  dispose(): Promise<void> {
    this.#key[Symbol.dispose]();
    return Promise.resolve();
  }

  #duplicate(request: DuplicationRequest): Duplicate {
    checkInnerKey(request.innerKey);
    const newParent = storageKeyArea(request.newParent);
    if (newParent === undefined) {
      throw notAuthorized(request.newParent, 'the destination is not a storage key');
    }
    const verdict = evaluateChain({
      authPolicy: this.#area.authPolicy,
      object: nameOf(this.#publicArea),
      newParent: nameOf(request.newParent),
      steps: request.steps,
      branches: request.branches,
      user: this.#authorized,
    });
    if (verdict.kind === 'refused') {
      throw verdict.reason === 'user'
        ? passwordRejected('this platform')
        : notAuthorized(request.newParent, chainReasons[verdict.reason]);
    }
    return wrapDuplicate(newParent, this.#publicArea, this.#key, request.innerKey, this.#random);
  }

  #demandAuthorization(): Promise<void> {
    return this.#authorized ? Promise.resolve() : Promise.reject(passwordRejected('this platform'));
  }
}

const chainReasons: Readonly<Record<Exclude<ChainReason, 'user'>, string>> = {
  empty: 'nothing was approved',
  signer: 'a signer is not an authority key',
  signature: 'a signature is not valid',
  mismatch: 'what was approved is another destination, key or delegate',
  branch: "the approvals do not lead to this key's authority",
  authority: "this is not the policy of this key's authority",
  irregular: 'a delegation is not bound to this key',
};

/** The public area of a Basic User Key; `ChipFailed` for any other, as no other may be in this chip. */
function basicUserKeyArea(publicArea: Uint8Array): EccPublic {
  const area = decodePublic(publicArea);
  if (area?.type !== 'ECC' || !isBasicUserKey(publicArea, area.authPolicy)) {
    throw chipFailed('this is not a Basic User Key');
  }
  return area;
}

function checkAuthValue(authValue: SecretBytes): void {
  if (authValue.length > digestBytes) throw new RangeError('an authValue has at most 32 bytes');
}

function checkInnerKey(innerKey: SecretBytes): void {
  if (innerKey.length !== aesCfbBytes) throw new RangeError('an inner key has 16 bytes');
}

function copy(secret: SecretBytes): SecretBytes {
  return SecretBytes.copyOf(secret.reveal);
}

function passwordRejected(whose: string): SPMigrationError {
  return fail('PasswordRejected', { which: 'the chip refused it', whose });
}

function notAuthorized(newParent: Uint8Array, reason: string): SPMigrationError {
  const destination = `the storage key ${toHex(nameOf(newParent))}`;
  return fail('DestinationNotAuthorized', { account: 'this user', destination, reason });
}

function notForThisPlatform(): SPMigrationError {
  return fail('ArchiveNotForThisPlatform', { path: 'The archive', destination: 'another storage key' });
}

function chipFailed(problem: string): SPMigrationError {
  return fail('ChipFailed', { problem });
}
