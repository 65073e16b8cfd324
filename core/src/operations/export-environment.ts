/**
 * `Export-SPMigration`: hands the caller's environment over to one granted destination, as an archive. The source stays as
 * it is. Needs the grant (the owner's decision) and the password (the person's): the chip, or the same policy in
 * software, refuses the Basic User Key without either.
 */
import { toHex } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { features } from '../domain/environment.ts';
import { toId } from '../domain/ids.ts';
import { sealArchive, readArchive } from '../sealing/archive.ts';
import { checkBasicUserKey } from '../sealing/basic-user-key.ts';
import { tpmName } from '../sealing/fingerprints.ts';
import type { Chain } from '../sealing/grants.ts';
import { archiveResult } from './archive.ts';
import { prepareUnlock, userForChange, type PresentUser } from './change-environment.ts';
import { chooseGrant, type UsableGrant } from './choose-grant.ts';
import type { DestinationChoice } from './destination.ts';
import { exportLines, exportWarnings } from './export-plan.ts';
import { grantsHere, type FoundGrant, type GrantsHere } from './grants-context.ts';
import type { Call, Changer } from './operation.ts';
import { record } from './record.ts';
import { requireNewestLists } from './revocation-memory.ts';
import type { ArchiveResult } from './results.ts';
import { requireSpace } from './space.ts';
import { givenTransferCode } from './transfer-code.ts';
import { presentFacts, requireNotInterrupted, unlock } from './user-context.ts';

export interface ExportParameters extends DestinationChoice {
  readonly path: string;
  readonly grantPath?: readonly string[];
  readonly overwrite?: boolean;
  readonly allowServiceAccount?: boolean;
}

interface ChosenGrant extends UsableGrant {
  /** All that was seen when it was chosen. */
  readonly here: GrantsHere;
}

export const exportEnvironment: Changer<ExportParameters, ArchiveResult> = async (call, parameters) => {
  const { ports } = call;
  const user = await userForChange(call, parameters);
  const here = await grantsHere(call, parameters.grantPath ?? []);
  const { found, chain } = chooseGrant(call, user, here, parameters);
  const { grant } = found.signed;
  const overwrite = parameters.overwrite ?? false;
  const name = `${shortName(user.platform.account.name)}@${grant.destinationComputer}.sparc`;
  const path = await ports.files.outputPath(parameters.path, name, overwrite);
  await requireSpace(ports, path, sizeOf(user, chain));
  const withCode = hasTransferCode(call, found);
  const now = ports.clock();
  exportWarnings(call, user, found, now);
  return {
    plan: {
      action: 'Export the environment',
      target: `${path} for ${grant.destinationComputer}`,
      impact: 'medium',
      lines: exportLines(user, found, now, withCode),
      facts: {
        ...presentFacts(user),
        path,
        grants: chain.grants.map(({ bytes }) => toHex(sha256(bytes))),
        // Whether there is one, never which.
        transferCode: withCode,
      },
    },
    prepare: prepareUnlock(call, user),
    apply: () => writeArchive(call, user, { found, chain, here }, path, overwrite),
  };
};

async function writeArchive(
  call: Call,
  user: PresentUser,
  { found, chain, here }: ChosenGrant,
  path: string,
  overwrite: boolean,
): Promise<ArchiveResult> {
  const { ports } = call;
  const { platform } = user;
  const { grant } = found.signed;
  call.report.progress('Exporting', 'Opening the environment', 10);
  const unlocked = await unlock(call, user);
  try {
    const { header, environment, keys, vaultKey, loaded } = unlocked;
    // The public part counted as a claim until now; with it open, the key itself must fit what it says.
    checkBasicUserKey(
      header.basicUserKey,
      header.nonce,
      environment.publicPart.rootAuthority,
      user.present.stored.path,
    );
    requireNewestLists(environment.privatePart.revocationNumbers, chain.grants, here.revocations);
    const archive = toId('ArchiveId', toHex(ports.random(16)));
    using transferCode = givenTransferCode(call.secrets);
    using innerKey = keys.innerKey(archive, transferCode);
    using archiveKey = keys.archiveKey(vaultKey, archive, transferCode);
    call.report.progress('Exporting', 'Handing the Basic User Key over', 40);
    const duplicate = await loaded.duplicate({
      newParent: grant.destinationKey,
      steps: chain.steps,
      branches: chain.branches,
      innerKey,
    });
    const parts = sealArchive({
      manifest: {
        archive,
        created: ports.clock(),
        rehearsal: ports.rehearsal,
        sourceComputer: platform.settings.computer,
        sourceFingerprint: platform.ids.fingerprint,
        sourceKey: platform.ids.storageKeyName,
        account: platform.account,
        destinationComputer: grant.destinationComputer,
        destinationKey: tpmName(grant.destinationKey),
        basicUserKey: user.present.basicUserKey,
        nonce: header.nonce,
        generation: header.generation,
        credentials: environment.publicPart.credentials.length,
        activeFeatures: features.filter((feature) => environment.publicPart.features[feature] !== undefined)
          .length,
        passwordSalt: header.passwordSalt,
        transferCode: transferCode !== undefined,
        replaces: environment.privatePart.replaces,
        historyHead: await ports.history(platform.ids.platformId).head('user'),
      },
      grants: chain.grants,
      basicUserKey: header.basicUserKey,
      duplicate,
      vaultKey: header.vaultKey,
      environment,
      archiveKey,
    });
    call.report.progress('Exporting', 'Writing the archive', 80);
    const bytes = await ports.archives.pack(parts);
    requireNotInterrupted(call);
    const written = await ports.files.write(path, bytes, overwrite);
    await record(call, 'user', {
      operation: 'export',
      account: platform.account,
      platform: platform.ids.platformId,
      facts: { archive, destination: grant.destinationComputer, serial: grant.serial, path: written },
    });
    return archiveResult(readArchive(parts, written), written, bytes.length);
  } finally {
    await unlocked.dispose();
  }
}

/** Whether the archive takes a code. `TransferCodeMalformed` before anything is written. */
function hasTransferCode(call: Call, { signed: { grant } }: FoundGrant): boolean {
  using code = givenTransferCode(call.secrets);
  if (code === undefined) {
    // No destination is attested yet. Said to whoever asks for details, and not in the way of anyone else.
    call.report.verbose(
      `${grant.destinationComputer} has not proven what chip it has. With -NewTransferCode (command line: --transfer-code) the archive would be useless also to whoever takes it together with that computer.`,
    );
  }
  return code !== undefined;
}

/** Upper bound of the archive: the environment, which is this generation's, the grants, and small entries. */
function sizeOf({ present }: PresentUser, { grants }: Chain): number {
  return grants.reduce((sum, { bytes }) => sum + bytes.length, present.stored.bytes.length);
}

/** `PC-A\\anna` and `anna@example.org` are `anna`: the account's part of the default file name. */
export function shortName(account: string): string {
  const afterDomain = account.slice(account.lastIndexOf('\\') + 1);
  return afterDomain.split('@')[0] ?? afterDomain;
}
