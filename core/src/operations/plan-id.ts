/** The id of a plan: SHA-256 over a canonical form of operation, parameters and the plan's facts (ruling 16). */
import { toHex, utf8 } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import type { Fact, Plan } from './operation.ts';

/** 64 hex digits; equal exactly where operation, parameters and facts are equal. */
export function planId(operation: string, parameters: Readonly<Record<string, Fact>>, plan: Plan): string {
  return toHex(
    sha256(utf8(canonical({ v: 1, operation, parameters, action: plan.action, facts: plan.facts }))),
  );
}

/** JSON with sorted names and no white space: one text per value. */
function canonical(fact: Fact): string {
  if (fact === null || typeof fact !== 'object') return JSON.stringify(fact);
  if (isList(fact)) return `[${fact.map(canonical).join(',')}]`;
  const names = Object.keys(fact).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(fact[name] ?? null)}`).join(',')}}`;
}

function isList(fact: Fact): fact is readonly Fact[] {
  return Array.isArray(fact);
}
