/**
 * Where the refusal table of TPMs is asked: three simulated TPMs with a storage key of one type, two Basic User Keys of one
 * authority with a vault key below each, which are on all three, and the authorities that sign or only pretend to. Also the
 * form of a case: one refused question and the allowed one from which it differs by one change.
 */
import { randomBytes } from 'node:crypto';
import { plain, toHex } from '../../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../../core/src/bytes/secret-bytes.ts';
import type { KeyBlob } from '../../../core/src/domain/environment.ts';
import type { ErrorCode } from '../../../core/src/domain/error-catalogue.ts';
import type { Chip, Duplicate, PolicyStep } from '../../../core/src/ports/chip.ts';
import type { CommandName } from '../../../core/src/tpm2/constants.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { bukBranches, bukPolicy } from '../../../core/src/tpm2/policy.ts';
import { makeAuthority, type TestAuthority } from '../chain.ts';
import { Swtpm } from '../swtpm.ts';

export type StorageKeyType = 'ECC' | 'RSA';
export type Branches = readonly [Uint8Array, Uint8Array];

export interface Place {
  readonly tpm: Swtpm;
  readonly chip: Chip;
  /** TPMT_PUBLIC. */
  readonly storageKey: Uint8Array;
  /** The Name of it. */
  readonly name: Uint8Array;
}

export type PlaceName = 'a' | 'b' | 'c';

/** A Basic User Key: where it is, and what is sealed below it. */
export interface UserKey {
  readonly nonce: Uint8Array;
  readonly branches: Branches;
  readonly public: Uint8Array;
  readonly name: Uint8Array;
  readonly blobs: Readonly<Record<PlaceName, KeyBlob>>;
  readonly sealed: KeyBlob;
}

export interface RefusalWorld {
  readonly a: Place;
  readonly b: Place;
  readonly c: Place;
  /** Its storage key is of the other type. */
  readonly other: Place;
  /** Fixed in both keys. */
  readonly root: TestAuthority;
  readonly delegate: TestAuthority;
  readonly second: TestAuthority;
  readonly stranger: TestAuthority;
  readonly one: UserKey;
  readonly two: UserKey;
}

/** Of both keys: that the wrong key is asked for is never seen by a wrong password. */
export const auth = secretOf(0x41);
export const wrongAuth = secretOf(0x42);
export const noAuth = new SecretBytes(new Uint8Array(0));
export const vaultAuth = secretOf(0x56);
export const vaultKey = secretOf(0x77);
export const innerKey = secretOf(0x49, 16);
export const otherInnerKey = secretOf(0x4a, 16);

export function secretOf(byte: number, length = 32): SecretBytes {
  return new SecretBytes(new Uint8Array(length).fill(byte));
}

/** One question to a TPM. */
export type Question = (world: RefusalWorld) => Promise<unknown>;

export interface Expected {
  readonly command: CommandName;
  /** TPM_RC. */
  readonly responseCode: number;
  /** Our code; undefined where the question cannot be asked through the port `chip`. */
  readonly code: ErrorCode | undefined;
}

export interface Refusal {
  /** What is asked; a row of the table. */
  readonly title: string;
  readonly refused: Question;
  readonly allowed: Question;
  readonly expected: Expected;
  /** Where an RSA storage key answers otherwise. */
  readonly rsa?: Partial<Expected>;
  /** How many wrong authorizations the TPM counts for it. */
  readonly tries?: 1;
}

export interface RefusalGroup {
  readonly title: string;
  /** What is allowed, in a sentence. */
  readonly allowed: string;
  readonly refusals: readonly Refusal[];
}

/** Makes a world; the caller stops its TPMs. */
export async function makeRefusalWorld(type: StorageKeyType): Promise<RefusalWorld> {
  const places = { a: await makePlace(type), b: await makePlace(type), c: await makePlace(type) };
  const root = makeAuthority();
  return {
    ...places,
    other: await makePlace(type === 'ECC' ? 'RSA' : 'ECC'),
    root,
    delegate: makeAuthority(),
    second: makeAuthority(),
    stranger: makeAuthority(),
    one: await makeUserKey(places, root),
    two: await makeUserKey(places, root),
  };
}

async function makePlace(type: StorageKeyType): Promise<Place> {
  const tpm = await Swtpm.start();
  await tpm.makeStorageKey(type);
  return placeOn(tpm);
}

/** A TPM with its storage key, which is made where there is none. */
export async function placeOn(tpm: Swtpm): Promise<Place> {
  const chip = tpm.chip();
  const storageKey = await chip.provision();
  return { tpm, chip, storageKey, name: nameOf(storageKey) };
}

/** The TPMs of a world. */
export const tpmsOf = ({ a, b, c, other }: RefusalWorld): readonly Swtpm[] =>
  [a, b, c, other].map(({ tpm }) => tpm);

/** Made on the first place, and handed over to the others. */
async function makeUserKey(
  { a, b, c }: Readonly<Record<PlaceName, Place>>,
  root: TestAuthority,
): Promise<UserKey> {
  const nonce = plain(randomBytes(16));
  const branches = bukBranches(root.name, nonce);
  const blob = await a.chip.createBasicUserKey(bukPolicy(root.name, nonce), auth);
  const loaded = await a.chip.loadBasicUserKey(blob, auth);
  try {
    const sealed = await loaded.sealVaultKey(vaultKey, vaultAuth);
    const handOver = async ({ chip, storageKey, name }: Place): Promise<KeyBlob> => {
      const request = { newParent: storageKey, steps: [root.grant(name)], branches, innerKey };
      return chip.importBasicUserKey(blob.public, await loaded.duplicate(request), innerKey);
    };
    const blobs = { a: blob, b: await handOver(b), c: await handOver(c) };
    return { nonce, branches, public: blob.public, name: nameOf(blob.public), blobs, sealed };
  } finally {
    await loaded.dispose();
  }
}

/** A hand-over through the port. */
export interface HandOver {
  readonly at?: PlaceName;
  readonly key?: UserKey;
  /** Another private half than the key's at this place. */
  readonly blob?: KeyBlob;
  readonly to?: Uint8Array;
  readonly steps: readonly PolicyStep[];
  readonly branches?: Branches;
  readonly authValue?: SecretBytes;
}

/** Asks the chip of a place (default: the first) to hand a key over (default: key one to the second place). */
export async function handOver(world: RefusalWorld, question: HandOver): Promise<Duplicate> {
  const { at = 'a', key = world.one, to = world.b.storageKey, authValue = auth } = question;
  const loaded = await world[at].chip.loadBasicUserKey(question.blob ?? key.blobs[at], authValue);
  try {
    return await loaded.duplicate({
      newParent: to,
      steps: question.steps,
      branches: question.branches ?? key.branches,
      innerKey,
    });
  } finally {
    await loaded.dispose();
  }
}

/** Opens the vault key of a key; throws where another secret comes out. */
export async function unseal(
  { chip }: Place,
  blob: KeyBlob,
  sealed: KeyBlob,
  { authValue = auth, sealedAuth = vaultAuth } = {},
): Promise<void> {
  const loaded = await chip.loadBasicUserKey(blob, authValue);
  try {
    using opened = await loaded.openVaultKey(sealed, sealedAuth);
    if (toHex(opened.reveal) !== toHex(vaultKey.reveal)) throw new Error('it is another secret');
  } finally {
    await loaded.dispose();
  }
}

/** `original` with one bit of byte `index` (from the end where negative) turned over. */
export function flipped(original: Uint8Array, index: number): Uint8Array {
  const copy = new Uint8Array(original);
  const at = index < 0 ? copy.length + index : index;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
