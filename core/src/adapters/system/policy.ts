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
import { registryValues, runSystemProgram } from './windows.ts';

const largestPolicyBytes = 64 * 1024;

/** Decodes a policy file; format/policy-v1.ts, handed in because this room knows no formats. */
export type DecodePolicy = (bytes: Uint8Array, path: string) => Policy;

/** The first of `paths` is the machine's policy, a second one the rehearsal's. */
export function createPolicy(
  platform: NodeJS.Platform,
  env: NodeJS.ProcessEnv,
  paths: readonly string[],
  disk: FileSystem,
  decode: DecodePolicy,
): PolicyPort {
  return {
    read: async () => {
      const policies: Policy[] = platform === 'win32' ? [await readRegistry(env)] : [];
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

const policyKey = String.raw`HKLM\Software\Policies\SPMigration`;

async function readRegistry(env: NodeJS.ProcessEnv): Promise<Policy> {
  const query = async (key: string): Promise<ReadonlyMap<string, string>> => {
    const { exitCode, output } = await runSystemProgram(env, 'reg.exe', ['query', key]);
    if (exitCode === 0) return registryValues(output);
    // reg.exe ends with 1 where the key does not exist, which is the usual case.
    if (exitCode === 1) return new Map();
    throw fail('PolicyMalformed', { path: key, problem: `reg.exe ended with exit code ${exitCode}` });
  };
  const keys = [policyKey, `${policyKey}\\TrustedAuthorities`] as const;
  const [values, authorities] = await Promise.all([query(keys[0]), query(keys[1])]);
  return policyOfRegistry(values, authorities);
}

/** The policy of its key's values and those of the list `TrustedAuthorities` (one value per authority). Pure. */
export function policyOfRegistry(
  values: ReadonlyMap<string, string>,
  authorities: ReadonlyMap<string, string>,
): Policy {
  const malformed = (problem: string): Error => fail('PolicyMalformed', { path: policyKey, problem });
  const allow = values.get('AllowRehearsal') ?? '0x1';
  if (allow !== '0x0' && allow !== '0x1') throw malformed(`AllowRehearsal is ${allow}`);
  const trusted = [...authorities.values()].map((text): AuthorityFingerprint => {
    const fingerprint = parseId('AuthorityFingerprint', text.replaceAll(' ', '').toLowerCase());
    if (fingerprint === undefined) throw malformed(`${text} is no authority's fingerprint`);
    return fingerprint;
  });
  return { trustedAuthorities: trusted.length > 0 ? trusted : undefined, allowRehearsal: allow === '0x1' };
}
