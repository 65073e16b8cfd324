/**
 * Challenge files (`.spchallenge`), docs/spec/attestation.md, "Challenge": an owner's signed question to one storage key in
 * one TPM. Leaves out the signature and the credential (`sealing/challenge.ts`).
 */
import type { Challenge, SignedChallenge } from '../domain/attestation.ts';
import type { AuthorityFingerprint } from '../domain/ids.ts';
import { base64Bytes, computerName, hexBytes, instant, publicArea, yesNo } from './forms.ts';
import { appendSignature as append, readSignature } from './signed-text.ts';
import { TextReader, TextWriter } from './text.ts';

const commitment = hexBytes(32);
/** An HMAC of 32 bytes and an encrypted secret of as many, each behind its length in 16 bits. */
const credentialBlob = base64Bytes(68, 68);
/** A point of P-256, or a number below an RSA-2048 modulus. */
const encryptedSecret = base64Bytes(68, 256);

/** The bytes that are signed. `ParameterInvalid` or `LimitExceeded` where the format cannot hold a value. */
export function encodeChallengeBody(challenge: Challenge): Uint8Array {
  return new TextWriter('challenge')
    .field('authority', publicArea, challenge.authority)
    .field('rehearsal', yesNo, challenge.rehearsal)
    .field('destination-computer', computerName, challenge.destinationComputer)
    .field('destination-key', publicArea, challenge.destinationKey)
    .field('endorsement-key', publicArea, challenge.endorsementKey)
    .field('created', instant, challenge.created)
    .field('commitment', commitment, challenge.commitment)
    .field('credential-blob', credentialBlob, challenge.credentialBlob)
    .field('encrypted-secret', encryptedSecret, challenge.encryptedSecret)
    .blank()
    .done();
}

/** The whole challenge file. `signature` is r ‖ s, 64 bytes, over `body`. */
export function appendSignature(
  body: Uint8Array,
  signer: AuthorityFingerprint,
  signature: Uint8Array,
): Uint8Array {
  return append(body, signer, signature);
}

/** `path` is for messages. `ChallengeMalformed`, `WrongFileKind`, `FileMangled`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeChallenge(bytes: Uint8Array, path: string): SignedChallenge {
  const reader = new TextReader(bytes, 'challenge', path);
  const challenge: Challenge = {
    authority: reader.field('authority', publicArea),
    rehearsal: reader.field('rehearsal', yesNo),
    destinationComputer: reader.field('destination-computer', computerName),
    destinationKey: reader.field('destination-key', publicArea),
    endorsementKey: reader.field('endorsement-key', publicArea),
    created: reader.field('created', instant),
    commitment: reader.field('commitment', commitment),
    credentialBlob: reader.field('credential-blob', credentialBlob),
    encryptedSecret: reader.field('encrypted-secret', encryptedSecret),
  };
  return { challenge, ...readSignature(reader), bytes };
}
