/**
 * The policy file of Linux and of rehearsals, docs/spec/policy.md: field names as in the ADMX template, each of them
 * optional. Unsigned: only an administrator can write where it lies. Leaves out the registry form on Windows.
 */
import { defaultPolicy, type Policy } from '../domain/policy.ts';
import { id, yesNo } from './forms.ts';
import { TextReader, TextWriter } from './text.ts';

const authority = id('AuthorityFingerprint');

/** For tests and administrators' tools. `ParameterInvalid` for an empty list of authorities, which the format cannot say. */
export function encodePolicy(policy: Policy): Uint8Array {
  const writer = new TextWriter('policy');
  if (policy.trustedAuthorities !== undefined)
    writer.scope('TrustedAuthorities', authority, policy.trustedAuthorities);
  return writer.field('AllowRehearsal', yesNo, policy.allowRehearsal).done();
}

/** `path` is for messages. `PolicyMalformed`, `VersionUnsupported`, `LimitExceeded`. */
export function decodePolicy(bytes: Uint8Array, path: string): Policy {
  const reader = new TextReader(bytes, 'policy', path);
  const trusted = reader.list('TrustedAuthorities', authority);
  const allowRehearsal = reader.optional('AllowRehearsal', yesNo);
  reader.end();
  return {
    trustedAuthorities: trusted.length === 0 ? defaultPolicy.trustedAuthorities : trusted,
    allowRehearsal: allowRehearsal ?? defaultPolicy.allowRehearsal,
  };
}
