/** A whole archive of a first move, with real keys, grants and an environment of two credentials. */
import type { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { toHex } from '../../core/src/bytes/bytes.ts';
import type { ArchiveParts } from '../../core/src/domain/archive.ts';
import type { Environment } from '../../core/src/domain/environment.ts';
import { toId } from '../../core/src/domain/ids.ts';
import { sealArchive, type ArchiveContent } from '../../core/src/sealing/archive.ts';
import { chainFor } from '../../core/src/sealing/grants.ts';
import { vaultKeyTemplate } from '../../core/src/tpm2/templates.ts';
import {
  grantFrom,
  makeEnvironment,
  makeKey,
  makePlatform,
  makeUser,
  register,
  seededBytes,
  testAccount,
  testTime,
  type TestKey,
  type TestPlatform,
} from './sealing.ts';

export interface MadeArchive {
  readonly source: TestPlatform;
  readonly destination: TestPlatform;
  readonly key: TestKey;
  readonly user: ReturnType<typeof makeUser>;
  readonly environment: Environment;
  readonly content: ArchiveContent;
  readonly archiveKey: SecretBytes;
  readonly parts: ArchiveParts;
}

/** The duplicate and the vault key's blob are bytes of no meaning: no chip is asked here. */
export function makeArchive(labels: readonly string[] = ['mail', 'files']): MadeArchive {
  const source = makePlatform('PC-A');
  const destination = makePlatform('PC-B');
  const key = makeKey(source.authority);
  const user = makeUser();
  const environment = makeEnvironment(source.authority.public, labels);
  const candidate = grantFrom(source, destination, { registrations: [register(key)] });
  const { grants } = chainFor({
    held: [],
    candidate,
    basicUserKey: key.public,
    nonce: key.nonce,
    rootAuthority: key.rootAuthority,
  });
  const archive = toId('ArchiveId', toHex(seededBytes('archive', 16)));
  const archiveKey = user.keys.archiveKey(user.vaultKey, archive);
  const content: ArchiveContent = {
    manifest: {
      archive,
      created: testTime,
      rehearsal: true,
      sourceComputer: source.identity.computer,
      sourceFingerprint: candidate.grant.destinationFingerprint,
      sourceKey: source.name,
      account: testAccount,
      destinationComputer: destination.identity.computer,
      destinationKey: destination.name,
      basicUserKey: key.name,
      nonce: key.nonce,
      generation: 7,
      credentials: labels.length,
      activeFeatures: labels.length === 0 ? 0 : 1,
      passwordSalt: seededBytes('password salt', 16),
      transferCode: false,
      replaces: [],
      historyHead: new Uint8Array(),
    },
    grants,
    basicUserKey: key.public,
    duplicate: { duplicate: seededBytes('duplicate', 200), seed: seededBytes('seed', 68) },
    vaultKey: {
      public: vaultKeyTemplate(seededBytes('unique', 32)),
      private: seededBytes('vault blob', 140),
    },
    environment,
    archiveKey,
  };
  return { source, destination, key, user, environment, content, archiveKey, parts: sealArchive(content) };
}
