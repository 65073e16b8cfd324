/**
 * `Revoke-SPMigrationAccess`: a signed list, one per authority, with a number that only grows. Locally it is kept in the
 * platform folder; a fleet's is written where the grants lie, and reaches platforms with `Add-SPMigrationRevocation`.
 */
import { fail } from '../domain/error.ts';
import type { RevocationList, SignedRevocationList } from '../domain/grant.ts';
import { groupFingerprint, parseId, type AuthorityFingerprint, type GrantSerial } from '../domain/ids.ts';
import { authorityFingerprint } from '../sealing/fingerprints.ts';
import { signRevocationList } from '../sealing/grants.ts';
import { chooseAuthority, type AuthorityChoice } from './authority-context.ts';
import { maximumGrantBytes, grantsHere, passingOver, readRevocationList } from './grants-context.ts';
import type { Call, Changer } from './operation.ts';
import { findPlatform, requireAdministrator, requirePlatform } from './platform-context.ts';
import { record } from './record.ts';
import { listToContinue } from './revocation-history.ts';
import type { RevocationResult } from './results.ts';

export interface RevokeAccessParameters extends AuthorityChoice {
  readonly serial: string;
  readonly reason?: string;
  readonly outputPath?: string;
  readonly overwrite?: boolean;
}

export const revokeAccess: Changer<RevokeAccessParameters, RevocationResult> = async (call, parameters) => {
  const { ports } = call;
  const fleet = parameters.authorityPath !== undefined;
  if (!fleet) await requireAdministrator(ports);
  const platform = fleet ? await findPlatform(ports) : await requirePlatform(ports);
  const { outputPath } = parameters;
  if (fleet && outputPath === undefined) {
    throw fail('ParameterInvalid', {
      parameter: 'OutputPath',
      problem: 'with an authority file, say where the list is to be written',
    });
  }
  const serial = parseId('GrantSerial', parameters.serial.toLowerCase());
  if (serial === undefined)
    throw fail('ParameterInvalid', { parameter: 'Serial', problem: 'it must be 32 hex digits' });
  const authority = await chooseAuthority(call, platform, parameters);
  const signer = authorityFingerprint(authority.publicKey);
  if (outputPath !== undefined) await requireOwnList(call, outputPath, signer);
  const isThere = outputPath !== undefined && (await ports.files.kind(outputPath)) !== 'none';
  const here = await grantsHere(call, isThere ? [outputPath] : []);
  const found = here.grants.find(({ signed }) => signed.grant.serial === serial && signed.signer === signer);
  if (found === undefined && !fleet) throw fail('GrantNotFound', { serial });
  const known = here.revocations.find((list) => list.signer === signer);
  const base = await listToContinue(call, { platform, signer, known: known?.list, local: authority.local });
  const already = base.revoked.some((entry) => entry.serial === serial);
  const reason = parameters.reason ?? 'withdrawn by the owner';
  const unchanged = already && !base.restored;
  const number = unchanged ? base.number : base.number + 1;
  return {
    plan: {
      action: 'Revoke a grant',
      target: found === undefined ? serial : `${serial} for ${found.signed.grant.destinationComputer}`,
      impact: 'medium',
      lines: [
        ...(base.restored
          ? [
              `The list of this authority that was here is gone: ${base.revoked.length} grants that the history names are revoked again.`,
            ]
          : []),
        already
          ? `The grant ${serial} is revoked already.`
          : `The grant ${serial} admits no export and no import any more, wherever revocation list ${number} of this authority is known.`,
      ],
      facts: { serial, signer, number, reason, restored: base.restored },
    },
    prepare: authority.prepare,
    apply: async () => {
      using key = await authority.open();
      const added = already ? [] : [{ serial, reason }];
      const list =
        unchanged && known !== undefined
          ? known
          : signRevocationList(draft(call, [...base.revoked, ...added], number), key);
      const path = await write(call, outputPath, signer, list.bytes, unchanged);
      if (platform !== undefined && !unchanged) {
        await record(call, authority.local ? 'platform' : 'user', {
          operation: 'access-revoke',
          account: platform.account,
          platform: platform.ids.platformId,
          facts: { authority: signer, serial, reason, number: String(number) },
        });
      }
      return revocationResult(list, path, serial);
    },
  };
};

/**
 * The list on a share that the new one replaces must be this authority's and readable: in place of a damaged one a list
 * would begin anew, without the grants revoked before. `RevocationListMalformed`, `SignatureInvalid`, `WrongFileKind`.
 * The platform's own lists are read as strictly by `grantsHere`.
 */
async function requireOwnList(call: Call, outputPath: string, signer: AuthorityFingerprint): Promise<void> {
  const { files } = call.ports;
  const path = await files.outputPath(outputPath, `${signer}.sprevoked`, true);
  if ((await files.kind(path)) !== 'file') return;
  const present = readRevocationList(await files.read(path, maximumGrantBytes), path);
  if (present.signer === signer) return;
  throw fail('RevocationListMalformed', { path, problem: 'it is the list of another authority' });
}

function draft(
  call: Call,
  revoked: RevocationList['revoked'],
  number: number,
): Omit<RevocationList, 'authority'> {
  const sorted = [...revoked].sort((a, b) => (a.serial < b.serial ? -1 : 1));
  return { rehearsal: call.ports.rehearsal, number, issued: call.ports.clock(), revoked: sorted };
}

async function write(
  call: Call,
  outputPath: string | undefined,
  signer: AuthorityFingerprint,
  bytes: Uint8Array,
  already: boolean,
): Promise<string> {
  const name = `${signer}.sprevoked`;
  if (outputPath === undefined) return (await call.ports.platform.put('revocations', name, bytes)).path;
  // The newer list always takes the older one's place: that is what a growing number means.
  const path = await call.ports.files.outputPath(outputPath, name, true);
  return already ? path : call.ports.files.write(path, bytes, true);
}

/** The platform's own list of an authority. A damaged one is passed over here: a good one is about to take its place. */
async function ownList(call: Call, signer: AuthorityFingerprint): Promise<SignedRevocationList | undefined> {
  for (const { bytes, path } of await call.ports.platform.list('revocations')) {
    const list = await passingOver(call, () => readRevocationList(bytes, path));
    if (list?.signer === signer) return list;
  }
  return undefined;
}

export interface AddRevocationParameters {
  readonly path: string;
}

/** `Add-SPMigrationRevocation`: takes a signed list into the platform folder. `RevocationListOutdated` for an older one. */
export const addRevocation: Changer<AddRevocationParameters, RevocationResult> = async (call, { path }) => {
  const { ports } = call;
  await requireAdministrator(ports);
  const platform = await requirePlatform(ports);
  const list = readRevocationList(await ports.files.read(path, maximumGrantBytes), path);
  const known = await ownList(call, list.signer);
  if (known !== undefined && known.list.number > list.list.number) {
    throw fail('RevocationListOutdated', {
      authority: groupFingerprint(list.signer),
      number: list.list.number,
      known: known.list.number,
    });
  }
  return {
    plan: {
      action: 'Take over a revocation list',
      target: path,
      impact: 'medium',
      lines: [
        `List ${list.list.number} of the authority ${groupFingerprint(list.signer)} with ${list.list.revoked.length} revoked grants is honoured from now on.`,
      ],
      facts: { signer: list.signer, number: list.list.number, known: known?.list.number ?? 0 },
    },
    apply: async () => {
      const file = await ports.platform.put('revocations', `${list.signer}.sprevoked`, list.bytes);
      await record(call, 'platform', {
        operation: 'revocation-add',
        account: platform.account,
        platform: platform.ids.platformId,
        facts: { authority: list.signer, number: String(list.list.number) },
      });
      return revocationResult(list, file.path, undefined);
    },
  };
};

function revocationResult(
  signed: SignedRevocationList,
  path: string,
  serial: GrantSerial | undefined,
): RevocationResult {
  return {
    serial: serial ?? null,
    authorityFingerprint: groupFingerprint(signed.signer),
    number: signed.list.number,
    revoked: signed.list.revoked.length,
    path,
  };
}
