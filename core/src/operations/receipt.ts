/** Writing the receipt of an import, where one was asked for (docs/spec/receipt.md). */
import { isSPMigrationError } from '../domain/error.ts';
import type { ImportAction } from '../domain/import-plan.ts';
import { encodeReceipt } from '../format/receipt-v1.ts';
import { lastGrant } from './archive.ts';
import { shortName } from './export-environment.ts';
import type { ImportWork } from './import-work.ts';

/** `anna@PC-B.spreceipt`, like the archive it is for. */
export function receiptName({ read, user }: ImportWork): string {
  return `${shortName(read.manifest.account.name)}@${user.platform.settings.computer}.spreceipt`;
}

/**
 * Writes the receipt after the import; answers its path, or null with a warning: the import is done by then, and a receipt
 * that is missing takes nothing of it back.
 */
export async function writeReceipt(
  work: ImportWork,
  generation: number,
  path: string,
  overwrite: boolean,
): Promise<string | null> {
  const { call, user, read, plan } = work;
  const { ports } = call;
  const { platform } = user;
  const counts: Record<ImportAction, number> = {
    Add: 0,
    Activate: 0,
    Retain: 0,
    Unchanged: 0,
    SetAside: 0,
    Skip: 0,
  };
  for (const { action } of plan.items) counts[action] += 1;
  try {
    const receipt = encodeReceipt({
      archive: read.manifest.archive,
      imported: ports.clock(),
      rehearsal: ports.rehearsal,
      sourceComputer: read.manifest.sourceComputer,
      sourceKey: read.manifest.sourceKey,
      sourceAccount: read.manifest.account.id,
      destinationComputer: platform.settings.computer,
      destinationKey: platform.ids.storageKeyName,
      account: platform.account,
      basicUserKey: read.name,
      case: plan.case,
      rekey: plan.rekey,
      generation,
      grant: lastGrant(read).grant.serial,
      counts,
      historyHead: await ports.history(platform.ids.platformId).head('user'),
    });
    return await ports.files.write(path, receipt, overwrite);
  } catch (error) {
    if (!isSPMigrationError(error)) throw error;
    call.report.warning(`Imported, but the receipt was not written: ${error.message}`, error.code);
    return null;
  }
}
