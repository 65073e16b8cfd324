/**
 * `Export-SPMigration`: hands the caller's environment over to one granted destination, as an archive. The source stays as
 * it is. Needs the grant (the owner's decision) and the password (the person's): the chip, or the same policy in
 * software, refuses the Basic User Key without either.
 */
import { toHex } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { fail, isSPMigrationError, type SPMigrationError } from '../domain/error.ts';
import { activeFeatures, features } from '../domain/environment.ts';
import { toId } from '../domain/ids.ts';
import { decodeGrant } from '../format/grant-v1.ts';
import { sealArchive, readArchive } from '../sealing/archive.ts';
import { checkBasicUserKey } from '../sealing/basic-user-key.ts';
import { tpmName } from '../sealing/fingerprints.ts';
import { chainFor, checkGrant, checkNotRevoked, type Chain } from '../sealing/grants.ts';
import { archiveResult } from './archive.ts';
import { prepareUnlock, userForChange, type PresentUser } from './change-environment.ts';
import { requireMatching, requireOneDestination, type DestinationChoice } from './destination.ts';
import { grantsHere, type FoundGrant, type GrantsHere } from './grants-context.ts';
import type { Call, Changer } from './operation.ts';
import { record } from './record.ts';
import { requireNewestLists } from './revocation-memory.ts';
import type { ArchiveResult } from './results.ts';
import { givenTransferCode } from './transfer-code.ts';
import { presentFacts, requireNotInterrupted, unlock } from './user-context.ts';

export interface ExportParameters extends DestinationChoice {
  readonly path: string;
  readonly grantPath?: readonly string[];
  readonly overwrite?: boolean;
  readonly allowServiceAccount?: boolean;
}

interface ChosenGrant {
  readonly found: FoundGrant;
  readonly chain: Chain;
  /** All that was seen when it was chosen. */
  readonly here: GrantsHere;
}

export const exportEnvironment: Changer<ExportParameters, ArchiveResult> = async (call, parameters) => {
  const { ports } = call;
  const user = await userForChange(call, parameters);
  const { account, settings } = user.platform;
  const here = await grantsHere(call, parameters.grantPath ?? []);
  const { found, chain } = chooseGrant(call, user, here, parameters);
  const { grant } = found.signed;
  const overwrite = parameters.overwrite ?? false;
  const name = `${shortName(account.name)}@${grant.destinationComputer}.sparc`;
  const path = await ports.files.outputPath(parameters.path, name, overwrite);
  warnAboutOnward(call, user, found);
  const withCode = hasTransferCode(call, found);
  const { publicPart } = user.present;
  return {
    plan: {
      action: 'Export the environment',
      target: `${path} for ${grant.destinationComputer}`,
      impact: 'medium',
      lines: [
        `The environment of ${account.name} on ${settings.computer} can be opened on ${grant.destinationComputer} only, and only with its password.`,
        ...publicPart.credentials.map(({ id, label }) => {
          const active = activeFeatures(id, publicPart.features);
          return `${label} is in it${active.length === 0 ? '' : `, active for ${active.join(', ')}`}.`;
        }),
        `The grant ${grant.serial} permits it.`,
        ...(withCode
          ? [
              'It opens only together with the transfer code as well: without it nobody opens it, you included.',
            ]
          : []),
      ],
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

/** The grant that permits this move for the longest time; the newest one's error where none does. */
function chooseGrant(
  call: Call,
  user: PresentUser,
  here: GrantsHere,
  choice: DestinationChoice,
): ChosenGrant {
  const { platform, present } = user;
  const candidates = [...requireMatching(here.grants, choice, platform.account.name)];
  candidates.sort((a, b) => b.signed.grant.notAfter - a.signed.grant.notAfter || (a.path < b.path ? -1 : 1));
  const held = present.publicPart.grants.map((bytes, index) =>
    decodeGrant(bytes, `${present.stored.path} (grant ${index + 1})`),
  );
  const chosen: ChosenGrant[] = [];
  const errors: SPMigrationError[] = [];
  for (const found of candidates) {
    try {
      const { grant } = found.signed;
      checkGrant(
        found.signed,
        {
          now: call.ports.clock(),
          rehearsal: call.ports.rehearsal,
          sourceKey: platform.ids.storageKeyName,
          account: platform.account,
          basicUserKey: present.basicUserKey,
          destinationKey: tpmName(grant.destinationKey),
          revoked: here.revoked,
        },
        found.path,
      );
      const chain = chainFor({
        held,
        candidate: found.signed,
        basicUserKey: present.decoded.header.basicUserKey,
        nonce: present.decoded.header.nonce,
        rootAuthority: present.publicPart.rootAuthority,
        account: platform.account.name,
      });
      for (const signed of chain.grants) checkNotRevoked(signed, here.revoked);
      chosen.push({ found, chain, here });
    } catch (error) {
      if (!isSPMigrationError(error)) throw error;
      errors.push(error);
    }
  }
  const [first] = chosen;
  if (first === undefined) throw errors[0] ?? fail('InternalError', { problem: 'no grant and no reason' });
  // Only among what would permit the move: anyone can lay a grant of their own making beside the others.
  requireOneDestination(
    chosen.map(({ found }) => found),
    choice,
  );
  return first;
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

/** Ruling 2: a key that was registered after its owner's grant was signed cannot be moved on from the destination. */
function warnAboutOnward(call: Call, user: PresentUser, { signed: { grant } }: FoundGrant): void {
  if (grant.onward === 'no' || user.platform.settings.authority !== 'local') return;
  if (grant.onward.some(({ basicUserKey }) => basicUserKey === user.present.basicUserKey)) return;
  call.report.warning(
    `The grant ${grant.serial} was signed before this user was registered: from ${grant.destinationComputer} the keys cannot be moved on. Ask the owner to grant again if that is wanted.`,
    'OnwardNotDelegated',
  );
}

/** `PC-A\\anna` and `anna@example.org` are `anna`: the account's part of the default file name. */
function shortName(account: string): string {
  const afterDomain = account.slice(account.lastIndexOf('\\') + 1);
  return afterDomain.split('@')[0] ?? afterDomain;
}
