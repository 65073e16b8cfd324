/**
 * What the public area of a key must say so that a TPM which holds the key keeps it (TPM 2.0 Part 2, clause 8.3; TCG EK
 * Credential Profile for TPM 2.0, clause 2.1.5): endorsement keys, and storage keys that can be proven. A TPM loads a private
 * area only with the public area that it was made with, so of a key that is loaded these attributes are true.
 */
import { OBJECT } from './constants.ts';
import { decodePublic, type EccPublic, type RsaPublic } from './structures.ts';
import { storageKeyArea } from './templates.ts';

/**
 * `fixedTPM`: it was made in this TPM and never leaves it; `fixedParent`: nor its parent. `sensitiveDataOrigin`: the TPM chose
 * its private part, and nobody gave it one. All templates of endorsement and storage keys have the three.
 */
const binding = ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin'] as const;

/** The first attribute that a key bound to a TPM needs and this public area has not; undefined where none is missing. */
export function missingBinding(publicArea: Uint8Array): (typeof binding)[number] | undefined {
  const attributes = decodePublic(publicArea)?.objectAttributes ?? 0;
  return binding.find((name) => (attributes & OBJECT[name]) === 0);
}

/**
 * The public area of an endorsement key: restricted, for decryption, not for signing, bound to its TPM, with SHA-256 and
 * AES-128-CFB, on P-256 or RSA-2048. Undefined for anything else. It cannot tell a TPM from software.
 */
export function endorsementKeyArea(publicArea: Uint8Array): EccPublic | RsaPublic | undefined {
  const area = storageKeyArea(publicArea);
  return area !== undefined && missingBinding(publicArea) === undefined ? area : undefined;
}
