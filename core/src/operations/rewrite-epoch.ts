/**
 * Writing every kept generation anew, as one whole epoch (ruling 8): for a new password, a new Basic User Key, and the
 * removal of a credential for good. A generation that the present keys do not open (left behind under an older password) is
 * copied as it is and named in the answer.
 */
import type { SecretBytes } from '../bytes/secret-bytes.ts';
import { equal } from '../bytes/bytes.ts';
import type { Environment, GenerationHeader, KeyBlob } from '../domain/environment.ts';
import { hasCode } from '../domain/error.ts';
import { decodeGeneration, type DecodedGeneration } from '../format/generation-v1.ts';
import type { EnvironmentWriter, GenerationFile, GenerationId } from '../ports/environment-store.ts';
import { disposeKeys, openGeneration, sealBasicUserKey, sealGeneration } from '../sealing/environment.ts';
import type { PresentUser } from './change-environment.ts';
import type { Call } from './operation.ts';
import { requireNotInterrupted, requireUnchanged, type UnlockedEnvironment } from './user-context.ts';
import { requireWritten } from './written.ts';

/** The keys that every generation of the new epoch is sealed under. */
export interface EpochKeys {
  /** 16 bytes, of the password. */
  readonly passwordSalt: Uint8Array;
  /** TPMT_PUBLIC. */
  readonly basicUserKey: Uint8Array;
  readonly nonce: Uint8Array;
  /** The chip's private blob of the Basic User Key, not wrapped. */
  readonly basicUserKeyPrivate: Uint8Array;
  readonly vaultKeyBlob: KeyBlob;
  readonly vaultKey: SecretBytes;
  readonly atRest: SecretBytes;
}

export interface EpochContent {
  /** What a generation's environment becomes; the same value where nothing changes in it. */
  readonly each: (environment: Environment, generation: number) => Environment;
  /** One more generation after the present one; undefined: the present one stays the newest. */
  readonly next?: Environment;
}

export interface RewrittenEpoch {
  readonly now: GenerationId;
  /** How many generations were sealed anew. */
  readonly rewritten: number;
  /** Generations that are still under keys that are not here. */
  readonly notOpened: readonly number[];
}

/** What a person reads of a generation that was left as it was. */
export function leftBehind(generation: number): string {
  return `generation ${generation} is still under an older password or key`;
}

/** One switch: before it the old epoch stands, after it the new one. `PlanOutdated`, `OperationInterrupted`. */
export async function rewriteEpoch(
  call: Call,
  user: PresentUser,
  unlocked: UnlockedEnvironment,
  keys: EpochKeys,
  content: EpochContent,
): Promise<RewrittenEpoch> {
  const notOpened: number[] = [];
  let rewritten = 0;
  const expected = content.next ?? content.each(unlocked.environment, user.present.stored.generation);
  const now = await user.store.withLock(async (writer) => {
    await requireUnchanged(writer, user);
    const kept = [...(await writer.generations())].reverse();
    const written = await writer.rewrite(anew(kept, writer));
    await requireWritten(user.store, written, keys, expected);
    return written;
  });
  return { now, rewritten, notOpened };

  async function* anew(
    kept: readonly GenerationId[],
    writer: Pick<EnvironmentWriter, 'current'>,
  ): AsyncGenerator<GenerationFile> {
    let newest = 0;
    for (const [index, id] of kept.entries()) {
      requireNotInterrupted(call);
      call.report.progress(
        'Writing every kept generation anew',
        `Generation ${id.generation}`,
        Math.floor((100 * index) / kept.length),
      );
      const present = id.generation === user.present.stored.generation;
      const stored = present ? await writer.current() : await user.store.generation(id);
      if (stored === undefined) continue;
      newest = id.generation;
      const opened = open(stored.bytes, stored.path, present);
      if (opened === undefined) {
        notOpened.push(id.generation);
        yield { generation: id.generation, bytes: stored.bytes };
        continue;
      }
      try {
        const environment = content.each(opened.environment, id.generation);
        rewritten += 1;
        yield sealed(id.generation, opened.decoded.header.parent, environment);
      } finally {
        disposeKeys(opened.environment);
      }
    }
    if (content.next !== undefined) yield sealed(newest + 1, newest, content.next);
  }

  /** The present one must open: it did a moment ago. Of the others, one under other keys is left as it is. */
  function open(
    bytes: Uint8Array,
    path: string,
    present: boolean,
  ): { readonly decoded: DecodedGeneration; readonly environment: Environment } | undefined {
    const keysHere = { vaultKey: unlocked.vaultKey, atRest: unlocked.keys.atRest };
    try {
      const decoded = decodeGeneration(bytes, path);
      const sameKeys =
        equal(decoded.header.basicUserKey, unlocked.header.basicUserKey) &&
        equal(decoded.header.passwordSalt, unlocked.header.passwordSalt);
      if (!sameKeys) return undefined;
      return { decoded, environment: openGeneration(decoded, keysHere, path) };
    } catch (error) {
      if (present || !hasCode(error, 'EnvironmentDamaged')) throw error;
      return undefined;
    }
  }

  function sealed(generation: number, parent: number, environment: Environment): GenerationFile {
    const keySalt = call.ports.random(16);
    const { chip } = user.platform.settings;
    const header: GenerationHeader = {
      platformId: user.platform.ids.platformId,
      generation,
      parent,
      passwordSalt: keys.passwordSalt,
      keySalt,
      basicUserKey: keys.basicUserKey,
      nonce: keys.nonce,
      basicUserKeyPrivate: sealBasicUserKey(
        keys.basicUserKeyPrivate,
        keys.basicUserKey,
        keySalt,
        chip,
        keys.atRest,
      ),
      vaultKey: keys.vaultKeyBlob,
    };
    return { generation, bytes: sealGeneration(header, environment, keys) };
  }
}
