/**
 * Files that left this computer against the history that is here (docs/spec/history.md, "Evidence"). Each carries the head that
 * the history had when it was made: that line must still be in the chain, or the chain was cut off or written anew since. A
 * receipt that came back shows at the source what the destination did with an archive. Nothing of it needs a secret, and what
 * other people's files say is only compared.
 */
import { toHex } from '../bytes/bytes.ts';
import { fail } from '../domain/error.ts';
import type { HistoryLine } from '../domain/history.ts';
import { archiveEntryLimits } from '../domain/archive.ts';
import { decodeGrant } from '../format/grant-v1.ts';
import { maximumBytesOf, recogniseKind } from '../format/kind.ts';
import { decodeReceipt } from '../format/receipt-v1.ts';
import { verifyGrant } from '../sealing/verify-grant.ts';
import { readArchiveFile } from './archive.ts';
import type { Checks, Note } from './checks.ts';
import type { Call } from './operation.ts';
import type { Platform } from './platform-context.ts';

/** Lines of each chain; undefined where it does not hold, or the caller may not read it. */
export interface Chains {
  readonly platform: readonly HistoryLine[] | undefined;
  readonly user: readonly HistoryLine[] | undefined;
}

/** One check for each file. Folders stand for the grants, archives and receipts in them. */
export async function testEvidence(
  call: Call,
  platform: Platform,
  paths: readonly string[],
  chains: Chains,
  checks: Checks,
): Promise<void> {
  for (const path of await evidenceFiles(call, paths)) {
    await checks.attempt(
      `Evidence ${path}`,
      (outcome) => outcome,
      () => judge(call, platform, path, chains),
    );
  }
}

async function evidenceFiles(call: Call, paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if ((await call.ports.files.kind(path)) !== 'folder') files.push(path);
    else {
      for (const extension of ['.spgrant', '.sparc', '.spreceipt'])
        files.push(...(await call.ports.files.list(path, extension)));
    }
  }
  return files;
}

async function judge(call: Call, platform: Platform, path: string, chains: Chains): Promise<string | Note> {
  // An archive is the largest of the three; its own reader knows its bounds.
  const largest = archiveEntryLimits.environment + archiveEntryLimits.grants + maximumBytesOf('manifest') * 2;
  const bytes = await call.ports.files.read(path, largest);
  const { kind } = recogniseKind(bytes);
  if (kind === 'grant') return judgeGrant(bytes, path, platform, chains);
  if (kind === 'receipt') return judgeReceipt(bytes, path, platform, chains);
  return judgeArchive(call, path, platform, chains);
}

function judgeGrant(
  bytes: Uint8Array,
  path: string,
  platform: Platform,
  { platform: chain }: Chains,
): string | Note {
  const signed = decodeGrant(bytes, path);
  verifyGrant(signed, path);
  const { grant, signer } = signed;
  if (signer !== platform.authority || platform.settings.authority !== 'local')
    return elsewhere('It is a grant of an authority that is not kept on this computer.');
  return requireLine(path, grant.historyHead, chain, grant.notBefore, 'the grant');
}

async function judgeArchive(
  call: Call,
  path: string,
  platform: Platform,
  { user }: Chains,
): Promise<string | Note> {
  const { manifest } = (await readArchiveFile(call, path)).read;
  if (manifest.sourceKey !== platform.ids.storageKeyName)
    return elsewhere(`It is an archive that was made on ${manifest.sourceComputer}.`);
  if (manifest.account.id !== platform.account.id)
    return elsewhere(`It is an archive of ${manifest.account.name}, in whose history its line must be.`);
  return requireLine(path, manifest.historyHead, user, manifest.created, 'the archive');
}

function judgeReceipt(bytes: Uint8Array, path: string, platform: Platform, { user }: Chains): string | Note {
  const receipt = decodeReceipt(bytes, path);
  const here = platform.ids.storageKeyName;
  if (receipt.destinationKey === here && receipt.account.id === platform.account.id)
    return requireLine(path, receipt.historyHead, user, receipt.imported, 'the receipt');
  if (receipt.sourceKey !== here || receipt.sourceAccount !== platform.account.id)
    return elsewhere(`It is a receipt of ${receipt.account.name} on ${receipt.destinationComputer}.`);
  if (user === undefined) return unreadable;
  const exported = user.find(({ operation, outcome, facts }) => {
    return operation === 'export' && outcome === 'ok' && facts.archive === receipt.archive;
  });
  if (exported !== undefined)
    return `The receipt is for the archive that line ${exported.number} of the history exported; it was imported on ${receipt.destinationComputer}.`;
  return missing(
    path,
    user,
    receipt.imported,
    `no line says that the archive ${receipt.archive} was exported here`,
  );
}

function requireLine(
  path: string,
  head: Uint8Array,
  chain: readonly HistoryLine[] | undefined,
  made: number,
  what: string,
): string | Note {
  if (chain === undefined) return unreadable;
  if (head.length === 0) return elsewhere(`There was no history yet when ${what} was made.`);
  const wanted = toHex(head);
  const line = chain.find(({ hash }) => hash === wanted);
  if (line !== undefined) return `The history is the one with which ${what} was made (line ${line.number}).`;
  return missing(path, chain, made, `no line of the history has the hash ${wanted.slice(0, 16)}…`);
}

/** What happened before the kept record begins cannot be found any more: that is no rewriting. */
function missing(path: string, chain: readonly HistoryLine[], made: number, problem: string): Note {
  const [first] = chain;
  if (first !== undefined && first.number > 1 && made < first.time)
    return elsewhere('It is older than the record that is kept here.');
  throw fail('HistoryRewritten', { path, problem });
}

const unreadable: Note = {
  message:
    'It could not be compared: the history of which it has the head does not hold, or this account may not read it.',
  hint: 'See the checks of the history; the history of the platform is read by an administrator.',
};

function elsewhere(message: string): Note {
  return { message, hint: 'Nothing about the history of this computer and account follows from it.' };
}
