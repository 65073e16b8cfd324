/**
 * A merge in which the archive's Basic User Key continues the one here (ruling 9): its key, password and salt become this
 * platform's, its credentials are added as in any merge, and every kept generation is sealed anew under it, all in one switch.
 */
import type { Environment } from '../domain/environment.ts';
import { mergedContent } from '../domain/import-content.ts';
import { applied, importedArchive, recordImport, registerImported, remember } from './import-apply.ts';
import type { OpenedRekey } from './import-open.ts';
import type { ImportWork } from './import-work.ts';
import type { ImportResult } from './results.ts';
import { rewriteEpoch } from './rewrite-epoch.ts';
import { presentUser } from './user-context.ts';

export async function applyRekey(work: ImportWork, opened: OpenedRekey): Promise<ImportResult> {
  const { call, read, chain } = work;
  const user = presentUser(work.user);
  const { local, archived, keys, vaultKey } = opened;
  const grants = chain.grants.map(({ bytes }) => bytes);
  const underNewKey = (environment: Environment): Environment => ({
    ...environment,
    publicPart: { ...environment.publicPart, rootAuthority: chain.rootAuthority, grants },
  });
  const next = mergedContent(work.plan, local.environment, archived, {
    rootAuthority: chain.rootAuthority,
    grants,
    imported: importedArchive(work),
    revocationNumbers: remember(local.environment, work),
  });
  const { now, notOpened } = await rewriteEpoch(
    call,
    user,
    local,
    {
      passwordSalt: read.manifest.passwordSalt,
      basicUserKey: read.basicUserKey,
      nonce: read.manifest.nonce,
      basicUserKeyPrivate: opened.basicUserKeyPrivate,
      vaultKeyBlob: read.vaultKey,
      vaultKey,
      atRest: keys.atRest,
    },
    { each: underNewKey, next },
  );
  for (const generation of notOpened) {
    call.report.warning(`Generation ${generation} is still under an older key or password.`);
  }
  await registerImported(work);
  const result = applied(work, now.generation);
  await recordImport(work, result);
  return result;
}
