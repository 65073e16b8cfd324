/**
 * Identity files (`.spid`), docs/spec/identity.md: the destination's public, unsigned file. Leaves out its fingerprint
 * (`sealing/fingerprints.ts`) and whether the keys in it are of the right template.
 */
import type { Identity } from '../domain/platform.ts';
import { computerName, instant, publicArea, word, yesNo } from './forms.ts';
import { TextReader, TextWriter } from './text.ts';

/** Most bytes of an attestation: 1,000 lines of 525. */
const maximumAttestationBytes = 525_000;

export const chipKind = word('tpm2', 'software');

/** `ParameterInvalid` or `LimitExceeded` where the format cannot hold a value. */
export function encodeIdentity(identity: Identity): Uint8Array {
  return new TextWriter('identity')
    .field('computer', computerName, identity.computer)
    .field('chip', chipKind, identity.chip)
    .field('rehearsal', yesNo, identity.rehearsal)
    .field('storage-key', publicArea, identity.storageKey)
    .field('authority-key', publicArea, identity.authorityKey)
    .pieces('attestation', identity.attestation)
    .field('created', instant, identity.created)
    .done();
}

/** `path` is for messages. `IdentityMalformed`, `WrongFileKind`, `FileMangled`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeIdentity(bytes: Uint8Array, path: string): Identity {
  const reader = new TextReader(bytes, 'identity', path);
  const identity: Identity = {
    computer: reader.field('computer', computerName),
    chip: reader.field('chip', chipKind),
    rehearsal: reader.field('rehearsal', yesNo),
    storageKey: reader.field('storage-key', publicArea),
    authorityKey: reader.field('authority-key', publicArea),
    attestation: reader.pieces('attestation', maximumAttestationBytes),
    created: reader.field('created', instant),
  };
  reader.end();
  return identity;
}
