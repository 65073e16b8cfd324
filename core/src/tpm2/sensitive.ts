/**
 * TPM2B_SENSITIVE (TPM 2.0 Part 2, clauses 12.3.2.4 and 12.3.2.5) of the two kinds of objects that the software chip
 * keeps: ECC keys and sealed data. The authValue is written padded to 32 bytes, as TPMs do, so that its length does
 * not show (Part 1, clause 23.2.2).
 */
import { concat, equal } from '../bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../bytes/reader.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { ALG, digestBytes } from './constants.ts';

/** Most bytes of sealed data (MAX_SYM_DATA). */
const maximumData = 128;

/** TPMT_SENSITIVE. It owns its parts and clears them when disposed. */
export class Sensitive {
  readonly sensitiveType: 'ECC' | 'KEYEDHASH';
  /** At most 32 bytes; trailing zeros do not count. */
  readonly authValue: SecretBytes;
  /** 32 bytes: protects the children of a storage key, blinds the `unique` of sealed data. */
  readonly seedValue: SecretBytes;
  /** The scalar of an ECC key, 32 bytes, or the sealed data. */
  readonly sensitive: SecretBytes;

  constructor(
    sensitiveType: 'ECC' | 'KEYEDHASH',
    authValue: SecretBytes,
    seedValue: SecretBytes,
    sensitive: SecretBytes,
  ) {
    this.sensitiveType = sensitiveType;
    this.authValue = authValue;
    this.seedValue = seedValue;
    this.sensitive = sensitive;
  }

  /** Whether `authValue` is this object's, compared in constant time and without trailing zeros (Part 1, clause 19.6.5). */
  isAuthorizedBy(authValue: SecretBytes): boolean {
    if (authValue.length > digestBytes) return false;
    using given = padded(authValue);
    using own = padded(this.authValue);
    return equal(given.reveal, own.reveal);
  }

  [Symbol.dispose](): void {
    this.authValue.dispose();
    this.seedValue.dispose();
    this.sensitive.dispose();
  }
}

/** The bytes of a TPM2B_SENSITIVE. RangeError where the authValue has more than 32 bytes. */
export function encodeSensitive(object: Sensitive): SecretBytes {
  using authValue = padded(object.authValue);
  using area = new SecretBytes(
    new ByteWriter()
      .u16(ALG[object.sensitiveType])
      .sized16(authValue.reveal)
      .sized16(object.seedValue.reveal)
      .sized16(object.sensitive.reveal)
      .done(),
  );
  return new SecretBytes(new ByteWriter().sized16(area.reveal).done());
}

class NotSensitive extends Error {}
const notSensitive = (what: string): NotSensitive => new NotSensitive(what);

/** The TPM2B_SENSITIVE in `bytes`; undefined where it is not exactly one of these two kinds. */
export function decodeSensitive(bytes: SecretBytes): Sensitive | undefined {
  try {
    return readSensitive(new ByteReader(bytes.reveal, notSensitive));
  } catch (error) {
    if (error instanceof NotSensitive) return undefined;
    throw error;
  }
}

function readSensitive(reader: ByteReader): Sensitive {
  if (reader.u16() !== reader.remaining) throw notSensitive('has another length');
  const sensitiveType = readSensitiveType(reader);
  const authValue = new SecretBytes(reader.sized16(digestBytes));
  const seedValue = new SecretBytes(reader.sized16(digestBytes));
  if (seedValue.length !== digestBytes) throw notSensitive('has a short seed');
  switch (sensitiveType) {
    case 'ECC': {
      // A TPM may have stripped leading zeros of the scalar: TPM2B_ECC_PARAMETER has no fixed length.
      using scalar = new SecretBytes(reader.sized16(digestBytes));
      reader.end();
      return new Sensitive(sensitiveType, authValue, seedValue, new SecretBytes(leftPadded(scalar.reveal)));
    }
    case 'KEYEDHASH': {
      const sealed = new SecretBytes(reader.sized16(maximumData));
      reader.end();
      return new Sensitive(sensitiveType, authValue, seedValue, sealed);
    }
  }
}

/** Big-endian number as 32 bytes. */
export function leftPadded(number: Uint8Array): Uint8Array {
  return concat(new Uint8Array(digestBytes - number.length), number);
}

function readSensitiveType(reader: ByteReader): 'ECC' | 'KEYEDHASH' {
  const algorithm = reader.u16();
  if (algorithm === ALG.ECC) return 'ECC';
  if (algorithm === ALG.KEYEDHASH) return 'KEYEDHASH';
  throw notSensitive('is of another type');
}

function padded(authValue: SecretBytes): SecretBytes {
  return new SecretBytes(concat(authValue.reveal, new Uint8Array(digestBytes - authValue.length)));
}
