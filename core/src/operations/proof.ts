/**
 * What is known about the chip behind an identity, for owners who grant and for who only looks: the attestation is verified
 * against the identity, and somebody must vouch for the endorsement key (docs/spec/attestation.md, "Verifying", "Vouching").
 */
import { toHex } from '../bytes/bytes.ts';
import { decodeCertificates } from '../crypto/certificate-file.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Proof } from '../domain/attestation.ts';
import { fail } from '../domain/error.ts';
import { groupFingerprint, type EndorsementFingerprint } from '../domain/ids.ts';
import type { Identity } from '../domain/platform.ts';
import { decodeAttestation } from '../format/attestation-v1.ts';
import { expectKind, maximumBytesOf } from '../format/kind.ts';
import { verifyAttestation } from '../sealing/attestation.ts';
import {
  endorsementFingerprint,
  parseEndorsementFingerprint,
  type VouchedBy,
  type Vouchers,
} from '../sealing/endorsement.ts';
import type { Call, Fact } from './operation.ts';

export interface ProofParameters {
  readonly attestationPath?: string;
  readonly endorsementKeyFingerprint?: string;
  /** Files and folders with certificates of manufacturers. */
  readonly tpmManufacturerPath?: readonly string[];
}

export type IdentityProof =
  | { readonly kind: Exclude<Proof, 'Attested'> }
  | {
      readonly kind: 'Attested';
      readonly path: string;
      readonly endorsement: EndorsementFingerprint;
      readonly vouchedBy: VouchedBy;
      /** SHA-256 of the attestation, hex. */
      readonly sha256: string;
    };

/** As many as a folder with the certificates of all manufacturers holds, and some more. */
const maximumCertificates = 2_000;
const maximumCertificateFileBytes = 1024 * 1024;
const certificateExtensions = ['.cer', '.crt', '.der', '.pem', '.p7b', '.p7c'] as const;

/**
 * What the parameters prove about the identity. Without an attestation: what it says itself. Every reason for which an
 * attestation proves nothing is an error (`verifyAttestation`). `authority`: TPMT_PUBLIC of who must have made the challenge.
 */
export async function proofOf(
  call: Call,
  identity: Identity,
  authority: Uint8Array,
  parameters: ProofParameters,
): Promise<IdentityProof> {
  const { attestationPath: path } = parameters;
  if (path === undefined) {
    refuseAlone('EndorsementKeyFingerprint', parameters.endorsementKeyFingerprint);
    refuseAlone('TpmManufacturerPath', parameters.tpmManufacturerPath);
    return { kind: claimOf(identity) };
  }
  const vouchers = await readVouchers(call, parameters);
  const bytes = await call.ports.files.read(path, maximumBytesOf('attestation'));
  expectKind(bytes, 'attestation', path);
  const { endorsement, vouchedBy } = verifyAttestation(
    {
      attestation: decodeAttestation(bytes, path),
      identity,
      authority,
      rehearsal: call.ports.rehearsal,
      vouchers,
      now: call.ports.clock(),
    },
    path,
  );
  const fingerprint = endorsementFingerprint(endorsement.key);
  return { kind: 'Attested', path, endorsement: fingerprint, vouchedBy, sha256: toHex(sha256(bytes)) };
}

/** What an identity says of itself, and nobody has proven. */
export function claimOf(identity: Identity): Exclude<Proof, 'Attested'> {
  return identity.chip === 'software' ? 'Software' : 'Claimed';
}

/** For a plan: what decides whether the same is proven again. */
export function proofFact(proof: IdentityProof): Fact {
  return proof.kind === 'Attested' ? [proof.kind, proof.sha256, proof.vouchedBy] : proof.kind;
}

/** In a few words, for a sentence about the computer. */
export function proofInShort({ kind }: IdentityProof): string {
  switch (kind) {
    case 'Attested':
      return 'a TPM, attested';
    case 'Claimed':
      return 'a TPM, claimed and not proven';
    case 'Software':
      return 'software chip';
  }
}

/** Facts for the history. */
export function proofRecord(proof: IdentityProof): Readonly<Record<string, string>> {
  const word = { proof: proof.kind.toLowerCase() };
  return proof.kind === 'Attested'
    ? { ...word, endorsement: proof.endorsement, vouchedBy: proof.vouchedBy }
    : word;
}

/** Who knows the TPM, as a sentence; undefined where nothing is proven. */
export function vouchedSentence(proof: IdentityProof): string | undefined {
  if (proof.kind !== 'Attested') return undefined;
  const key = `the endorsement key ${groupFingerprint(proof.endorsement)}`;
  return proof.vouchedBy === 'certificate'
    ? `Its storage key is in the TPM with ${key}, which a given manufacturer has certified.`
    : `Its storage key is in the TPM with ${key}, whose fingerprint was compared.`;
}

function refuseAlone(parameter: string, value: string | readonly string[] = []): void {
  if (value.length === 0) return;
  throw fail('ParameterInvalid', { parameter, problem: 'it says something about an attestation only' });
}

async function readVouchers(call: Call, parameters: ProofParameters): Promise<Vouchers> {
  const { endorsementKeyFingerprint: text, tpmManufacturerPath = [] } = parameters;
  const fingerprint = text === undefined ? undefined : parseEndorsementFingerprint(text);
  if (text !== undefined && fingerprint === undefined) {
    throw fail('ParameterInvalid', {
      parameter: 'EndorsementKeyFingerprint',
      problem: 'it must be ten groups of four hex digits',
    });
  }
  const manufacturers: Uint8Array[] = [];
  for (const path of tpmManufacturerPath) {
    const found = await certificatesIn(call, path);
    if (found.length === 0) {
      const problem = `there is no certificate in ${path}`;
      throw fail('ParameterInvalid', { parameter: 'TpmManufacturerPath', problem });
    }
    manufacturers.push(...found);
    if (manufacturers.length > maximumCertificates) {
      throw fail('LimitExceeded', {
        what: 'The number of certificates of manufacturers',
        actual: manufacturers.length,
        maximum: maximumCertificates,
      });
    }
  }
  return { fingerprint, manufacturers };
}

/** Of a file, or of the files in a folder. A file there that cannot be read is told: what was meant might be missing. */
async function certificatesIn(call: Call, path: string): Promise<readonly Uint8Array[]> {
  const { files } = call.ports;
  const isFolder = (await files.kind(path)) === 'folder';
  const paths = isFolder ? await listed(call, path) : [path];
  const certificates: Uint8Array[] = [];
  for (const file of paths) {
    const bytes = await files.read(file, maximumCertificateFileBytes);
    certificates.push(...decodeCertificates(bytes, file));
  }
  return certificates;
}

async function listed(call: Call, folder: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const extension of certificateExtensions)
    paths.push(...(await call.ports.files.list(folder, extension)));
  return paths;
}
