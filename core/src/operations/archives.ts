/** `Get-` and `Remove-SPMigrationArchive`: what an archive claims, and deleting one that is not needed any more. */
import { toHex } from '../bytes/bytes.ts';
import { sha256 } from '../crypto/hash.ts';
import { archiveResult, readArchiveFile } from './archive.ts';
import type { Changer, Reader } from './operation.ts';
import { recordIfPlatform } from './record.ts';
import type { ArchiveRemovalResult, ArchiveResult } from './results.ts';

export interface ArchiveParameters {
  readonly path: string;
}

export const inspectArchive: Reader<ArchiveParameters, ArchiveResult> = async function* (call, { path }) {
  const { bytes, read } = await readArchiveFile(call, path);
  yield archiveResult(read, path, bytes.length);
};

/** Deletes an archive; anything else is `WrongFileKind` or `ArchiveMalformed` and stays. */
export const removeArchive: Changer<ArchiveParameters, ArchiveRemovalResult> = async (call, { path }) => {
  const { bytes, read } = await readArchiveFile(call, path);
  const { manifest } = read;
  return {
    plan: {
      action: 'Delete an archive',
      target: path,
      impact: 'high',
      lines: [
        `The archive of ${manifest.account.name} from ${manifest.sourceComputer} for ${manifest.destinationComputer} is deleted.`,
        'The environments on both computers are not touched.',
      ],
      facts: { input: toHex(sha256(bytes)) },
    },
    apply: async () => {
      await call.ports.files.remove(path);
      await recordIfPlatform(call, 'user', 'archive-remove', { archive: manifest.archive, path });
      return { path, archive: manifest.archive };
    },
  };
};
