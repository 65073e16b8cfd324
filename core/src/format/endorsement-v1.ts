/**
 * The endorsement in the field `attestation` of an identity, docs/spec/attestation.md, "Endorsement": the public area of the
 * endorsement key and its certificate. Leaves out whether the key can be one (`sealing/identity.ts`), and the certificate,
 * which stays as it is until somebody asks who vouches for it.
 */
import { ByteReader, ByteWriter } from '../bytes/reader.ts';
import type { Endorsement } from '../domain/attestation.ts';
import { limits } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';

/** As the form `public` of text-format.md. */
const maximumAreaBytes = 700;

/** `LimitExceeded` where a part is longer than the format holds. */
export function encodeEndorsement({ key, certificate }: Endorsement): Uint8Array {
  checkLength('The public area of the endorsement key', key.length, maximumAreaBytes);
  const der = certificate ?? new Uint8Array();
  checkLength('The certificate of the endorsement key', der.length, limits.certificateBytes);
  if (key.length === 0 || certificate?.length === 0)
    throw new RangeError('a part that is there is not empty');
  return new ByteWriter().sized16(key).sized32(der).done();
}

/** `path` is that of the identity, for messages. `IdentityMalformed`. */
export function decodeEndorsement(bytes: Uint8Array, path: string): Endorsement {
  const malformed = (problem: string): Error =>
    fail('IdentityMalformed', { path, problem: `its "attestation" ${problem}` });
  const reader = new ByteReader(bytes, malformed);
  const key = reader.sized16(maximumAreaBytes);
  if (key.length === 0) throw malformed('names no endorsement key');
  const certificate = reader.sized32(limits.certificateBytes);
  reader.end();
  return { key, certificate: certificate.length === 0 ? undefined : certificate };
}

function checkLength(what: string, actual: number, maximum: number): void {
  if (actual > maximum) throw fail('LimitExceeded', { what, actual, maximum });
}
