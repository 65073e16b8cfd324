/**
 * The TPM 2.0 constants that this product's objects and policies use (TPM 2.0 Part 2, revision 1.59: clauses 6.3, 6.4,
 * 6.5.2 and 8.3), in TCG spelling without their prefixes. Leaves out response codes (`adapters/chip-tpm2`).
 */

/** TPM_ALG_ID. */
export const ALG = {
  RSA: 0x0001,
  AES: 0x0006,
  KEYEDHASH: 0x0008,
  SHA256: 0x000b,
  NULL: 0x0010,
  ECDSA: 0x0018,
  ECC: 0x0023,
  CFB: 0x0043,
} as const;

/** TPM_ECC_CURVE. */
export const ECC_NIST_P256 = 0x0003;

/** TPM_CC, as far as policies name commands. */
export const CC = {
  PolicyAuthorize: 0x0000016a,
  PolicyAuthValue: 0x0000016b,
  PolicyOR: 0x00000171,
  PolicyDuplicationSelect: 0x00000188,
} as const;

/** TPMA_OBJECT. */
export const OBJECT = {
  fixedTPM: 1 << 1,
  stClear: 1 << 2,
  fixedParent: 1 << 4,
  sensitiveDataOrigin: 1 << 5,
  userWithAuth: 1 << 6,
  adminWithPolicy: 1 << 7,
  noDA: 1 << 10,
  encryptedDuplication: 1 << 11,
  restricted: 1 << 16,
  decrypt: 1 << 17,
  sign: 1 << 18,
  x509sign: 1 << 19,
} as const;

/** All defined bits of TPMA_OBJECT; the others are reserved and zero. */
export const definedObjectAttributes: number = Object.values(OBJECT).reduce((all, bit) => all | bit, 0);

/** Length of a SHA-256 digest, the nameAlg and only hash algorithm here. */
export const digestBytes = 32;
