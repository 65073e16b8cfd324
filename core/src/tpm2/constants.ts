/**
 * The TPM 2.0 constants that this product's objects, policies and commands use (TPM 2.0 Part 2, revision 1.59: clauses
 * 6.3 to 6.5, 6.9 to 6.13, 7.4 and 8.3), in TCG spelling without their prefixes. Leaves out response codes
 * (`response-code.ts`).
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

/** TPM_CC of the commands that this product sends; three of them also stand in policies. */
export const CC = {
  EvictControl: 0x00000120,
  CreatePrimary: 0x00000131,
  ActivateCredential: 0x00000147,
  Duplicate: 0x0000014b,
  NV_Read: 0x0000014e,
  ObjectChangeAuth: 0x00000150,
  PolicySecret: 0x00000151,
  Create: 0x00000153,
  Import: 0x00000156,
  Load: 0x00000157,
  Unseal: 0x0000015e,
  FlushContext: 0x00000165,
  LoadExternal: 0x00000167,
  NV_ReadPublic: 0x00000169,
  PolicyAuthorize: 0x0000016a,
  PolicyAuthValue: 0x0000016b,
  PolicyOR: 0x00000171,
  ReadPublic: 0x00000173,
  StartAuthSession: 0x00000176,
  VerifySignature: 0x00000177,
  GetCapability: 0x0000017a,
  PolicyDuplicationSelect: 0x00000188,
} as const;

/** Name of a command, without `TPM2_`. */
export type CommandName = keyof typeof CC;

/** TPM_RH: permanent handles. */
export const RH = {
  OWNER: 0x40000001,
  NULL: 0x40000007,
  ENDORSEMENT: 0x4000000b,
} as const;

/** TPM_ST: tags of commands and responses. */
export const ST = { NO_SESSIONS: 0x8001, SESSIONS: 0x8002 } as const;

/** TPM_SE: kinds of sessions. */
export const SE = { HMAC: 0x00, POLICY: 0x01 } as const;

/** TPMA_SESSION, Part 2, clause 8.4. */
export const SESSION = { continueSession: 0x01, decrypt: 0x20, encrypt: 0x40 } as const;

/** TPM_CAP. */
export const CAP = { HANDLES: 0x00000001, TPM_PROPERTIES: 0x00000006 } as const;

/** TPM_PT, Part 2, clause 6.13: properties that describe a TPM and its state. */
export const PT = {
  MANUFACTURER: 0x105,
  VENDOR_STRING_1: 0x106,
  VENDOR_STRING_4: 0x109,
  FIRMWARE_VERSION_1: 0x10b,
  FIRMWARE_VERSION_2: 0x10c,
  PERMANENT: 0x200,
  STARTUP_CLEAR: 0x201,
  LOCKOUT_COUNTER: 0x20e,
  MAX_AUTH_FAIL: 0x20f,
  LOCKOUT_INTERVAL: 0x210,
  LOCKOUT_RECOVERY: 0x211,
} as const;

/** TPMA_PERMANENT and TPMA_STARTUP_CLEAR, Part 2, clauses 8.6 and 8.7. */
export const PERMANENT = { ownerAuthSet: 1 << 0, inLockout: 1 << 9 } as const;
export const STARTUP_CLEAR = { shEnable: 1 << 1 } as const;

/** TPMA_NV, Part 2, clause 13.4: who may read an index, and whether a wrong authValue is counted. */
export const NV = { AUTHREAD: 1 << 18, NO_DA: 1 << 25 } as const;

/** First handle of each kind, Part 2, clause 7.2. */
export const HANDLES = {
  LOADED_SESSION: 0x02000000,
  SAVED_SESSION: 0x03000000,
  TRANSIENT: 0x80000000,
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
