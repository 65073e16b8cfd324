/**
 * Attestation files (`.spattestation`), docs/spec/attestation.md, "Attestation": a destination's answer to a challenge,
 * unsigned, since whoever knows the answer has asked the TPM. Leaves out the challenge in it (`challenge-v1.ts`) and whether
 * the answer is right (`sealing/attestation.ts`).
 */
import type { Attestation } from '../domain/attestation.ts';
import { hexBytes, instant } from './forms.ts';
import { maximumBytesOf } from './kind.ts';
import { TextReader, TextWriter } from './text.ts';

const answer = hexBytes(32);

/** `ParameterInvalid` or `LimitExceeded` where the format cannot hold a value. */
export function encodeAttestation(attestation: Attestation): Uint8Array {
  if (attestation.challenge.length === 0) throw new RangeError('an attestation answers a challenge');
  return new TextWriter('attestation')
    .pieces('challenge', attestation.challenge)
    .field('answer', answer, attestation.answer)
    .field('created', instant, attestation.created)
    .done();
}

/** `path` is for messages. `AttestationMalformed`, `WrongFileKind`, `FileMangled`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeAttestation(bytes: Uint8Array, path: string): Attestation {
  const reader = new TextReader(bytes, 'attestation', path);
  const challenge = reader.pieces('challenge', maximumBytesOf('challenge'));
  if (challenge.length === 0) throw reader.malformed('"challenge" is expected here');
  const attestation: Attestation = {
    challenge,
    answer: reader.field('answer', answer),
    created: reader.field('created', instant),
  };
  reader.end();
  return attestation;
}
