/**
 * TPMT_PUBLIC (TPM 2.0 Part 2, clause 12.2.4) for the kinds of objects this product knows: ECC P-256, RSA-2048 and
 * sealed data, all with nameAlg SHA-256. Decoding is strict and canonical, because Names are hashes of these bytes:
 * full-length coordinates and modulus, no reserved attribute, no other algorithm, nothing behind the end.
 * Leaves out what an object must look like to be an authority or a Basic User Key (`templates.ts`), and private areas
 * (`sensitive.ts`).
 */
import { ByteReader, ByteWriter } from '../bytes/reader.ts';
import { ALG, definedObjectAttributes, digestBytes, ECC_NIST_P256 } from './constants.ts';

/** Length of a P-256 coordinate in bytes. */
export const coordinateBytes = 32;
const rsaKeyBits = 2048;
const modulusBytes = rsaKeyBits / 8;

/** TPMT_SYM_DEF_OBJECT: storage keys protect their children with AES, other keys have none. */
export type Symmetric = 'AES-128-CFB' | 'NULL';
/** TPMT_ECC_SCHEME. */
export type EccScheme = 'ECDSA-SHA256' | 'NULL';

interface PublicFields {
  /** TPMA_OBJECT. */
  readonly objectAttributes: number;
  /** Empty, or a SHA-256 policy digest. */
  readonly authPolicy: Uint8Array;
}

export interface EccPublic extends PublicFields {
  readonly type: 'ECC';
  readonly symmetric: Symmetric;
  readonly scheme: EccScheme;
  /** 32 bytes each; both empty in a template for a TPM that is to choose them. */
  readonly unique: { readonly x: Uint8Array; readonly y: Uint8Array };
}

export interface RsaPublic extends PublicFields {
  readonly type: 'RSA';
  readonly symmetric: Symmetric;
  /** 0 means 65537, too; it is kept as it was written, as the Name depends on it. */
  readonly exponent: 0 | 65537;
  /** 256 bytes. */
  readonly unique: Uint8Array;
}

export interface KeyedHashPublic extends PublicFields {
  readonly type: 'KEYEDHASH';
  /** SHA-256 of the object's seedValue and data; empty in a template for a TPM. */
  readonly unique: Uint8Array;
}

export type Public = EccPublic | RsaPublic | KeyedHashPublic;

class NotCanonical extends Error {}
const notCanonical = (what: string): NotCanonical => new NotCanonical(what);

/** The bytes of a TPMT_PUBLIC. RangeError where a field has a length that no object here may have. */
export function encodePublic(area: Public): Uint8Array {
  const writer = new ByteWriter().u16(ALG[area.type]).u16(ALG.SHA256).u32(area.objectAttributes);
  checkLength(area.authPolicy, digestBytes);
  writer.sized16(area.authPolicy);
  switch (area.type) {
    case 'ECC':
      checkLength(area.unique.x, coordinateBytes);
      checkLength(area.unique.y, coordinateBytes);
      writeSymmetric(writer, area.symmetric);
      writeEccScheme(writer, area.scheme);
      // TPMS_ECC_PARMS ends with curve and kdf; no key here has a kdf.
      return writer.u16(ECC_NIST_P256).u16(ALG.NULL).sized16(area.unique.x).sized16(area.unique.y).done();
    case 'RSA':
      checkLength(area.unique, modulusBytes);
      writeSymmetric(writer, area.symmetric);
      return writer.u16(ALG.NULL).u16(rsaKeyBits).u32(area.exponent).sized16(area.unique).done();
    case 'KEYEDHASH':
      checkLength(area.unique, digestBytes);
      return writer.u16(ALG.NULL).sized16(area.unique).done();
  }
}

/** The TPMT_PUBLIC in `bytes`; undefined where it is not exactly one that this product knows, in its only form. */
export function decodePublic(bytes: Uint8Array): Public | undefined {
  try {
    const reader = new ByteReader(bytes, notCanonical);
    const area = readPublic(reader);
    reader.end();
    return area;
  } catch (error) {
    if (error instanceof NotCanonical) return undefined;
    throw error;
  }
}

function readPublic(reader: ByteReader): Public {
  const type = reader.u16();
  demand(reader, ALG.SHA256);
  const objectAttributes = reader.u32();
  if ((objectAttributes & ~definedObjectAttributes) !== 0) throw notCanonical('has reserved attributes');
  const authPolicy = reader.sized16(digestBytes);
  if (authPolicy.length !== 0 && authPolicy.length !== digestBytes)
    throw notCanonical('has a policy of another hash');
  const fields = { objectAttributes, authPolicy };
  switch (type) {
    case ALG.ECC: {
      const symmetric = readSymmetric(reader);
      const scheme = readEccScheme(reader);
      demand(reader, ECC_NIST_P256);
      demand(reader, ALG.NULL);
      const unique = { x: readExactly(reader, coordinateBytes), y: readExactly(reader, coordinateBytes) };
      return { type: 'ECC', ...fields, symmetric, scheme, unique };
    }
    case ALG.RSA: {
      const symmetric = readSymmetric(reader);
      demand(reader, ALG.NULL);
      demand(reader, rsaKeyBits);
      const exponent = reader.u32();
      if (exponent !== 0 && exponent !== 65537) throw notCanonical('has another exponent');
      const unique = readExactly(reader, modulusBytes);
      if ((unique[0] ?? 0) < 0x80) throw notCanonical('has a short modulus');
      return { type: 'RSA', ...fields, symmetric, exponent, unique };
    }
    case ALG.KEYEDHASH:
      demand(reader, ALG.NULL);
      return { type: 'KEYEDHASH', ...fields, unique: readExactly(reader, digestBytes) };
    default:
      throw notCanonical('is of an unknown type');
  }
}

function writeSymmetric(writer: ByteWriter, symmetric: Symmetric): void {
  if (symmetric === 'NULL') writer.u16(ALG.NULL);
  else writer.u16(ALG.AES).u16(128).u16(ALG.CFB);
}

function readSymmetric(reader: ByteReader): Symmetric {
  const algorithm = reader.u16();
  if (algorithm === ALG.NULL) return 'NULL';
  if (algorithm !== ALG.AES) throw notCanonical('has another symmetric algorithm');
  demand(reader, 128);
  demand(reader, ALG.CFB);
  return 'AES-128-CFB';
}

function writeEccScheme(writer: ByteWriter, scheme: EccScheme): void {
  if (scheme === 'NULL') writer.u16(ALG.NULL);
  else writer.u16(ALG.ECDSA).u16(ALG.SHA256);
}

function readEccScheme(reader: ByteReader): EccScheme {
  const algorithm = reader.u16();
  if (algorithm === ALG.NULL) return 'NULL';
  if (algorithm !== ALG.ECDSA) throw notCanonical('has another scheme');
  demand(reader, ALG.SHA256);
  return 'ECDSA-SHA256';
}

function demand(reader: ByteReader, value: number): void {
  if (reader.u16() !== value) throw notCanonical('has another algorithm');
}

function readExactly(reader: ByteReader, length: number): Uint8Array {
  const bytes = reader.sized16(length);
  if (bytes.length !== length) throw notCanonical('has a short field');
  return bytes;
}

/** Templates leave fields empty; anything else has its full length. */
function checkLength(bytes: Uint8Array, length: number): void {
  if (bytes.length !== 0 && bytes.length !== length)
    throw new RangeError('a public area has a field of another length');
}
