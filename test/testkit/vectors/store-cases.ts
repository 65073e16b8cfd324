/** Vectors of generation files: their form, and what opening shows. */
import { concat, toHex, utf8 } from '../../../core/src/bytes/bytes.ts';
import { sha256 } from '../../../core/src/crypto/hash.ts';
import type { GenerationHeader } from '../../../core/src/domain/environment.ts';
import { encodeArchiveEnvironment } from '../../../core/src/format/archive-environment-v1.ts';
import { encodeHeader, encodePublicPart } from '../../../core/src/format/generation-v1.ts';
import { sealGeneration } from '../../../core/src/sealing/environment.ts';
import { platformIdsOf } from '../../../core/src/sealing/fingerprints.ts';
import { accepted, flipped, refused, type Scenario } from './case.ts';
import { seeded } from './deterministic.ts';
import type { Vector } from './vector-file.ts';
import {
  annasKeys,
  headerOf,
  makeEnvironment,
  password,
  platformA,
  platformB,
  vaultSecret,
  type VectorPlatform,
} from './world.ts';

const header: GenerationHeader = headerOf(platformA, platformIdsOf(platformA.identity).platformId);
const good = sealGeneration(header, makeEnvironment(), { vaultKey: vaultSecret, atRest: annasKeys.atRest });
const headerBytes = encodeHeader(header).length;
const publicBytes = encodePublicPart(makeEnvironment().publicPart).length;

const form = (comment: string): Scenario => ({
  read: 'generation',
  spec: 'environment-store.md#generation-file',
  comment,
});
const opening = (
  comment: string,
  on: VectorPlatform = platformA,
  more: Scenario['given'] = {},
): Scenario => ({
  read: 'generation',
  stage: 'open',
  spec: 'environment-store.md#construction',
  comment,
  given: {
    'storage-key': `${toHex(on.storageKey.privateKey.reveal)}${toHex(on.storageKey.seedValue.reveal)}`,
    password: toHex(utf8(password)),
    ...more,
  },
});
const opened = { 'environment-sha256': toHex(sha256(encodeArchiveEnvironment(makeEnvironment()).reveal)) };

/** The version digit at the end of the kind line. */
const versionAt = 24;

export const storeCases: readonly Vector[] = [
  accepted('generation-good', form('a generation'), good),
  refused(
    'generation-newer',
    'StoreNewer',
    form('a later version is left untouched'),
    flipped(good, versionAt, 3),
  ),
  refused('generation-cut-off', 'EnvironmentDamaged', form('the last byte is missing'), good.slice(0, -1)),
  refused(
    'generation-header-cut',
    'EnvironmentDamaged',
    form('it ends in its header'),
    good.slice(0, headerBytes - 3),
  ),
  refused(
    'generation-trailing',
    'EnvironmentDamaged',
    form('a byte after its end'),
    concat(good, Uint8Array.of(0)),
  ),
  refused(
    'generation-long-part',
    'EnvironmentDamaged',
    form('a part that claims four gigabytes'),
    concat(good.slice(0, headerBytes), Uint8Array.of(255, 255, 255, 255), good.slice(headerBytes + 4)),
  ),
  refused(
    'generation-garbage',
    'EnvironmentDamaged',
    form('another file in its place'),
    seeded('garbage', 400),
  ),
  accepted(
    'generation-opened',
    opening("the platform's chip and the password open it", platformA, opened),
    good,
  ),
  refused(
    'generation-wrong-password',
    'PasswordRejected',
    opening('another password', platformA, { password: toHex(utf8('wrong')) }),
    good,
  ),
  refused('generation-other-chip', 'StorageKeyChanged', opening("another platform's chip", platformB), good),
  refused(
    'generation-number-changed',
    'EnvironmentDamaged',
    opening('the header claims another number'),
    flipped(good, versionAt + 2 + 10 + 3, 8),
  ),
  refused(
    'generation-public-changed',
    'EnvironmentDamaged',
    opening('one bit of the public part is flipped'),
    flipped(good, headerBytes + 4 + publicBytes - 5),
  ),
  refused(
    'generation-private-changed',
    'EnvironmentDamaged',
    opening('one bit of the private part is flipped'),
    flipped(good, -3),
  ),
];
