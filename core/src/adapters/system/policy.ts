/**
 * Port `policy` (ruling 13). Linux: text files. Windows: the registry key that Group Policy writes. A rehearsal obeys its
 * own policy and, for whether rehearsals are allowed at all, the machine's too: else whoever sets SPMIGRATION_HOME would
 * choose the policy that forbids it. No policy is the default policy; an unreadable one is never taken for none.
 */
import { fail, hasCode } from '../../domain/error.ts';
import { parseId, type AuthorityFingerprint } from '../../domain/ids.ts';
import { defaultPolicy, type Policy } from '../../domain/policy.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { PolicyPort } from '../../ports/surroundings.ts';
import type { RegistryValues, Windows } from './windows.ts';
import { windowsItself } from './windows-itself.ts';

const largestPolicyBytes = 64 * 1024;

/** Decodes a policy file; format/policy-v1.ts, handed in because this room knows no formats. */
export type DecodePolicy = (bytes: Uint8Array, path: string) => Policy;

/** The first of `paths` is the machine's policy, a second one the rehearsal's. `windows` is asked on Windows only. */
export function createPolicy(
  platform: NodeJS.Platform,
  paths: readonly string[],
  disk: FileSystem,
  decode: DecodePolicy,
  windows: () => Windows = windowsItself,
): PolicyPort {
  return {
    read: async () => {
      const policies: Policy[] = platform === 'win32' ? [readRegistry(windows())] : [];
      for (const path of paths) policies.push(await readPolicy(path, disk, decode));
      return strictest(policies);
    },
  };
}

/** Authorities of the last policy (a rehearsal trusts other ones than the machine); rehearsals where all allow them. */
export function strictest(policies: readonly Policy[]): Policy {
  return {
    trustedAuthorities: policies.at(-1)?.trustedAuthorities,
    allowRehearsal: policies.every(({ allowRehearsal }) => allowRehearsal),
  };
}

async function readPolicy(path: string, disk: FileSystem, decode: DecodePolicy): Promise<Policy> {
  try {
    return decode((await disk.read(path, largestPolicyBytes)).bytes, path);
  } catch (error) {
    if (hasCode(error, 'FileNotFound')) return defaultPolicy;
    throw error;
  }
}

const policyKey = String.raw`Software\Policies\SPMigration`;

/** `StorageFailed` where the registry cannot be read: it is never taken for one without a policy. */
function readRegistry(windows: Windows): Policy {
  const none: RegistryValues = new Map();
  return policyOfRegistry(
    windows.machineValues(policyKey) ?? none,
    windows.machineValues(`${policyKey}\\TrustedAuthorities`) ?? none,
  );
}

/** The policy of its key's values and those of the list `TrustedAuthorities` (one value per authority). Pure. */
function policyOfRegistry(values: RegistryValues, authorities: RegistryValues): Policy {
  const malformed = (problem: string): Error =>
    fail('PolicyMalformed', { path: `HKLM\\${policyKey}`, problem });
  const allow = values.has('AllowRehearsal') ? values.get('AllowRehearsal') : 1;
  if (allow !== 0 && allow !== 1) throw malformed(`AllowRehearsal is ${allow ?? 'no number'}`);
  const trusted = [...authorities.values()].map((text): AuthorityFingerprint => {
    const fingerprint = parseId('AuthorityFingerprint', String(text).replaceAll(' ', '').toLowerCase());
    if (fingerprint === undefined)
      throw malformed(`${text ?? 'what is no text'} is no authority's fingerprint`);
    return fingerprint;
  });
  return { trustedAuthorities: trusted.length > 0 ? trusted : undefined, allowRehearsal: allow === 1 };
}
