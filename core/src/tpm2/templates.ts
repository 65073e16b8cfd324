/**
 * The exact templates of this product's keys (design/3, "Keys and their exact templates"; TPM 2.0 Part 1, clause 27)
 * and their recognisers. A recogniser rebuilds the public area from its unique part and compares byte for byte, so
 * that no attribute, algorithm or policy can differ unnoticed; only storage keys, which a TPM may have had before, are
 * judged by what they must be able to do.
 */
import { equal } from '../bytes/bytes.ts';
import { isOnCurve, type P256Point } from '../crypto/p256.ts';
import { OBJECT } from './constants.ts';
import { coordinateBytes, decodePublic, encodePublic, type EccPublic, type RsaPublic } from './structures.ts';

const noPolicy = new Uint8Array(0);
/** For templates whose unique part a TPM fills in. */
const unchosen: P256Point = { x: new Uint8Array(0), y: new Uint8Array(0) };

const storageAttributes =
  OBJECT.restricted | OBJECT.decrypt | OBJECT.userWithAuth | OBJECT.sensitiveDataOrigin;
const basicUserKeyAttributes = storageAttributes | OBJECT.encryptedDuplication;
const vaultKeyAttributes = OBJECT.fixedParent | OBJECT.userWithAuth | OBJECT.encryptedDuplication;

/**
 * TPMT_PUBLIC of the storage key that a TPM makes where it has none: the TCG's ECC template, whose unique part is two
 * coordinates of zero bytes (an empty one would make another key).
 */
export function storageKeyTemplate(): Uint8Array {
  const zero = new Uint8Array(coordinateBytes);
  const objectAttributes = storageAttributes | OBJECT.fixedTPM | OBJECT.fixedParent | OBJECT.noDA;
  return encodePublic(eccStorage(objectAttributes, noPolicy, { x: zero, y: zero }));
}

/** TPMT_PUBLIC of a software chip's storage key. It does not claim `fixedTPM`, which only a TPM can keep. */
export function softwareStorageKey(unique: P256Point): Uint8Array {
  return encodePublic(eccStorage(storageAttributes | OBJECT.noDA, noPolicy, unique));
}

/** TPMT_PUBLIC of an authority key. Coordinates are 32 bytes each. */
export function authorityTemplate(x: Uint8Array, y: Uint8Array): Uint8Array {
  return encodePublic({
    type: 'ECC',
    objectAttributes: OBJECT.sign | OBJECT.userWithAuth,
    authPolicy: noPolicy,
    symmetric: 'NULL',
    scheme: 'ECDSA-SHA256',
    unique: { x, y },
  });
}

/** TPMT_PUBLIC of a Basic User Key; `policy` is its authPolicy, 32 bytes. Without `unique`: the template for a TPM. */
export function basicUserKeyTemplate(policy: Uint8Array, unique: P256Point = unchosen): Uint8Array {
  return encodePublic(eccStorage(basicUserKeyAttributes, policy, unique));
}

/** TPMT_PUBLIC of a vault key; `unique` is SHA-256(seedValue ‖ data). Without it: the template for a TPM. */
export function vaultKeyTemplate(unique: Uint8Array = new Uint8Array(0)): Uint8Array {
  return encodePublic({
    type: 'KEYEDHASH',
    objectAttributes: vaultKeyAttributes,
    authPolicy: noPolicy,
    unique,
  });
}

/** The point of an authority's public area; undefined where it is anything but an authority key. */
export function authorityPoint(publicArea: Uint8Array): P256Point | undefined {
  const area = decodePublic(publicArea);
  if (area?.type !== 'ECC' || !isOnCurve(area.unique)) return undefined;
  return equal(publicArea, authorityTemplate(area.unique.x, area.unique.y)) ? area.unique : undefined;
}

/** Whether this is the public area of an authority key: the template byte for byte, with a point on the curve. */
export function isAuthorityKey(publicArea: Uint8Array): boolean {
  return authorityPoint(publicArea) !== undefined;
}

/** Whether this is the public area of a Basic User Key with this authPolicy, byte for byte except `unique`. */
export function isBasicUserKey(publicArea: Uint8Array, policy: Uint8Array): boolean {
  const area = decodePublic(publicArea);
  return (
    area?.type === 'ECC' &&
    isOnCurve(area.unique) &&
    equal(publicArea, basicUserKeyTemplate(policy, area.unique))
  );
}

/** Whether this is the public area of a vault key, byte for byte except `unique`. */
export function isVaultKey(publicArea: Uint8Array): boolean {
  const area = decodePublic(publicArea);
  return area?.type === 'KEYEDHASH' && equal(publicArea, vaultKeyTemplate(area.unique));
}

/**
 * The public area of a storage key, to which a Basic User Key can be handed over: restricted, for decryption, not for
 * signing, with AES-128-CFB for its children. Undefined for anything else. It cannot tell a TPM from software.
 */
export function storageKeyArea(publicArea: Uint8Array): EccPublic | RsaPublic | undefined {
  const area = decodePublic(publicArea);
  if (area === undefined || area.type === 'KEYEDHASH' || area.symmetric === 'NULL') return undefined;
  const purpose = area.objectAttributes & (OBJECT.restricted | OBJECT.decrypt | OBJECT.sign);
  if (purpose !== (OBJECT.restricted | OBJECT.decrypt)) return undefined;
  if (area.type === 'ECC' && (area.scheme !== 'NULL' || !isOnCurve(area.unique))) return undefined;
  return area;
}

/** Whether this is the public area of a storage key; see `storageKeyArea`. */
export function isStorageKey(publicArea: Uint8Array): boolean {
  return storageKeyArea(publicArea) !== undefined;
}

function eccStorage(objectAttributes: number, authPolicy: Uint8Array, unique: P256Point): EccPublic {
  return { type: 'ECC', objectAttributes, authPolicy, symmetric: 'AES-128-CFB', scheme: 'NULL', unique };
}
