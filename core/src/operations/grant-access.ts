/**
 * `Grant-SPMigrationAccess`: the owner's signed permission for exactly one destination. The digests that are signed are
 * computed from the identity's and the registrations' public areas here; nothing is signed that was handed over.
 */
import { toHex } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { fail } from '../domain/error.ts';
import { defaultGrantDays, type Registration, type Scope } from '../domain/grant.ts';
import { groupFingerprint, parseId, toId } from '../domain/ids.ts';
import type { Identity } from '../domain/platform.ts';
import { formatInstant, secondsPerDay, type Instant } from '../domain/time.ts';
import { isNamed, signGrant } from '../sealing/grants.ts';
import { platformIdsOf, tpmName } from '../sealing/fingerprints.ts';
import { accessResult } from './access.ts';
import { chooseAuthority, type AuthorityChoice } from './authority-context.ts';
import { guardLines, requireGuarded } from './guarded.ts';
import { readIdentityFile } from './identity.ts';
import type { Call, Changer } from './operation.ts';
import { findPlatform, requireAdministrator, requirePlatform, requireSameKind } from './platform-context.ts';
import {
  proofFact,
  proofInShort,
  proofOf,
  proofRecord,
  type IdentityProof,
  type ProofParameters,
} from './proof.ts';
import { record } from './record.ts';
import { knownRegistrations, registrationKey } from './registrations.ts';
import type { AccessResult } from './results.ts';

export interface GrantAccessParameters extends AuthorityChoice, ProofParameters {
  readonly path: string;
  readonly fingerprint?: string;
  readonly user?: readonly string[];
  readonly source?: readonly string[];
  readonly basicUserKey?: readonly string[];
  readonly validFrom?: Instant;
  readonly validUntil?: Instant;
  readonly noOnward?: boolean;
  readonly outputPath?: string;
  readonly registrationPath?: readonly string[];
  readonly overwrite?: boolean;
  /** Also to where no chip is known to guard the keys. */
  readonly allowUnattested?: boolean;
  /** The caller confirmed without comparing a fingerprint: told and recorded. */
  readonly forced?: boolean;
}

const nameForm = 'it must be a Name, 68 hex digits beginning with 000b';
const userForm =
  'it must be an account id (sid:…, uid:…@…), upn:… or the name of a registered account (-RegistrationPath)';

export const grantAccess: Changer<GrantAccessParameters, AccessResult> = async (call, parameters) => {
  const { ports } = call;
  const fleet = parameters.authorityPath !== undefined;
  if (!fleet) await requireAdministrator(ports);
  const platform = fleet ? await findPlatform(ports) : await requirePlatform(ports);
  if (fleet && parameters.outputPath === undefined) {
    throw fail('ParameterInvalid', {
      parameter: 'OutputPath',
      problem: 'with an authority file, say where the grant is to be written',
    });
  }
  const identity = await readIdentityFile(call, parameters.path);
  const destination = platformIdsOf(identity);
  requireSameKind(parameters.path, identity.rehearsal, ports.rehearsal);
  requireFingerprint(parameters, destination.fingerprint);
  if (platform?.ids.storageKeyName === destination.storageKeyName && !fleet) {
    throw fail('ParameterInvalid', {
      parameter: 'Path',
      problem: `${parameters.path} is the identity of this computer itself`,
    });
  }
  if (parameters.outputPath !== undefined)
    await requireWritable(call, parameters.outputPath, parameters.overwrite);
  const now = ports.clock();
  const notBefore = parameters.validFrom ?? now;
  const notAfter = parameters.validUntil ?? notBefore + defaultGrantDays * secondsPerDay;
  requireTimes(notBefore, notAfter, now);
  const authority = await chooseAuthority(call, platform, parameters);
  const proof = await proofOf(call, identity, authority.publicKey, parameters);
  const guard = requireGuarded(call, { platform, fleet, identity, proof }, parameters.allowUnattested);
  const registrations = await knownRegistrations(call, platform, parameters.registrationPath ?? []);
  const scope = {
    source: parseScope('Source', nameForm, parameters.source, (text) =>
      parseId('TpmName', text.toLowerCase()),
    ),
    user: parseScope('User', userForm, parameters.user, (text) => resolveUser(text, registrations)),
    basicUserKey: parseScope('BasicUserKey', nameForm, parameters.basicUserKey, (text) =>
      parseId('TpmName', text.toLowerCase()),
    ),
  };
  const onward = !(parameters.noOnward ?? false);
  if (parameters.fingerprint === undefined && parameters.forced === true) {
    call.report.warning(
      `The fingerprint of ${identity.computer} was not compared; it is ${groupFingerprint(destination.fingerprint)}.`,
      'FingerprintMismatch',
    );
  }
  return {
    plan: {
      action: 'Grant the move of keys',
      target: `${identity.computer}, fingerprint ${groupFingerprint(destination.fingerprint)}`,
      impact: 'high',
      lines: [
        ...describe(identity, proof, scope.user, notBefore, notAfter, parameters, onward, registrations),
        ...guardLines(guard, proof),
      ],
      facts: {
        identity: toHex(sha256(identity.storageKey, identity.authorityKey)),
        fingerprint: destination.fingerprint,
        authority: toHex(authority.publicKey),
        proof: proofFact(proof),
        registrations: registrations.map(registrationKey),
        // Names were looked up: what they stood for is what was shown.
        user: scope.user,
      },
    },
    prepare: authority.prepare,
    apply: async () => {
      using key = await authority.open();
      // Of the chain in which this grant will stand: it shows later where that was cut off or written anew.
      const chain = authority.local ? 'platform' : 'user';
      const historyHead =
        platform === undefined ? new Uint8Array() : await ports.history(platform.ids.platformId).head(chain);
      const signed = signGrant(
        {
          serial: toId('GrantSerial', toHex(ports.random(16))),
          rehearsal: ports.rehearsal,
          ...scope,
          notBefore,
          notAfter,
          historyHead,
        },
        { authority: key, identity, registrations, onward },
      );
      const path = await write(call, parameters, signed.grant.serial, signed.bytes);
      if (platform !== undefined) {
        await record(call, chain, {
          operation: 'access-grant',
          account: platform.account,
          platform: platform.ids.platformId,
          facts: {
            serial: signed.grant.serial,
            destination: identity.computer,
            fingerprint: destination.fingerprint,
            compared: parameters.fingerprint === undefined ? 'no' : 'yes',
            until: formatInstant(notAfter),
            ...proofRecord(proof),
            ...(guard === 'given-up' ? { guard: 'given up' } : {}),
          },
        });
      }
      return accessResult({ path, signed, grantPath: path }, { revoked: () => undefined }, now);
    },
  };
};

function requireFingerprint(parameters: GrantAccessParameters, actual: string): void {
  if (parameters.fingerprint === undefined) return;
  const expected = parseId(
    'IdentityFingerprint',
    parameters.fingerprint.toLowerCase().replaceAll(/[\s:-]/g, ''),
  );
  if (expected === undefined) {
    throw fail('ParameterInvalid', {
      parameter: 'Fingerprint',
      problem: 'it must be ten groups of four hex digits',
    });
  }
  if (expected === actual) return;
  throw fail('FingerprintMismatch', {
    path: parameters.path,
    actual: groupFingerprint(toId('IdentityFingerprint', actual)),
    expected: groupFingerprint(expected),
  });
}

function requireTimes(notBefore: Instant, notAfter: Instant, now: Instant): void {
  if (notAfter <= now)
    throw fail('ParameterInvalid', { parameter: 'ValidUntil', problem: 'it is in the past' });
  if (notAfter <= notBefore)
    throw fail('ParameterInvalid', { parameter: 'ValidUntil', problem: 'it is not after the beginning' });
}

/** `*` or nothing is everyone; anything that `parse` does not know is named. */
function parseScope<T extends string>(
  parameter: string,
  form: string,
  values: readonly string[] | undefined,
  parse: (text: string) => T | undefined,
): Scope<T> {
  if (values === undefined || values.length === 0 || values.includes('*')) return 'any';
  const parsed = new Set<T>();
  for (const text of values) {
    const value = parse(text.trim());
    if (value === undefined)
      throw fail('ParameterInvalid', { parameter, problem: `${text} is not known; ${form}` });
    parsed.add(value);
  }
  return [...parsed].sort();
}

/** An account id as it stands, an exact UPN, or the display name of exactly one registered account. */
function resolveUser(text: string, registrations: readonly Registration[]): string | undefined {
  if (/^(sid:S-[0-9-]+|uid:[0-9]+@[0-9a-f]{20}|upn:\S+@\S+)$/.test(text)) return text;
  const wanted = text.toLowerCase();
  const ids = new Set(
    registrations
      .filter(({ account }) => account.name.toLowerCase() === wanted || account.upn?.toLowerCase() === wanted)
      .map(({ account }) => account.id),
  );
  const [id] = ids;
  return ids.size === 1 ? id : undefined;
}

function describe(
  identity: Identity,
  proof: IdentityProof,
  user: Scope<string>,
  notBefore: Instant,
  notAfter: Instant,
  parameters: GrantAccessParameters,
  onward: boolean,
  registrations: readonly Registration[],
): readonly string[] {
  const who = user === 'any' ? 'Every user' : user.join(', ');
  const fingerprint = groupFingerprint(platformIdsOf(identity).fingerprint);
  const begin = parameters.validFrom === undefined ? '' : ` from ${formatInstant(notBefore)}`;
  // Names in registrations are what their makers wrote; the account id is what decides.
  const names = registrations
    .filter(({ account }) => isNamed(user, account))
    .map(
      ({ account, basicUserKey }) =>
        `${account.name} [${account.id}] (${tpmName(basicUserKey).slice(4, 16)})`,
    );
  return [
    `${who} may move their keys to ${identity.computer} (${proofInShort(proof)})${begin} until ${formatInstant(notAfter)}.`,
    `Its fingerprint is ${fingerprint}: compare it with what that computer shows.`,
    onward
      ? `From there the keys may be moved on by that computer's authority: ${names.length === 0 ? 'no key is registered here yet' : names.join(', ')}.`
      : 'From there the keys may not be moved on.',
    ...(parameters.outputPath === undefined ? [] : [`The grant is written to ${parameters.outputPath}.`]),
  ];
}

/** Found out before anyone is asked: whether the grant can be written there. Its name is made when it is signed. */
async function requireWritable(call: Call, path: string, overwrite = false): Promise<void> {
  const { files } = call.ports;
  const isFolder = (await files.kind(path)) === 'folder';
  await files.outputPath(path, 'grant.spgrant', overwrite || isFolder);
}

async function write(
  call: Call,
  parameters: GrantAccessParameters,
  serial: string,
  bytes: Uint8Array,
): Promise<string> {
  const name = `${serial}.spgrant`;
  if (parameters.outputPath === undefined) return (await call.ports.platform.put('grants', name, bytes)).path;
  const overwrite = parameters.overwrite ?? false;
  const path = await call.ports.files.outputPath(parameters.outputPath, name, overwrite);
  return call.ports.files.write(path, bytes, overwrite);
}
