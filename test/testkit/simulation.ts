/**
 * Computers whose whole state lies on one simulated disk (`failing-disk.ts`): the real ports over it, a clock that stands
 * still, randomness that is the same in every run, and processes of which only the present one lives. And what a person and an
 * owner see of one of them, as one value, to compare a computer after an interruption with before and after.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { deriveRoot } from '../../core/src/crypto/kdf.ts';
import { hasCode } from '../../core/src/domain/error.ts';
import { decodeAuthorityFile } from '../../core/src/format/authority-v1.ts';
import { decodeGeneration } from '../../core/src/format/generation-v1.ts';
import { findPlatform, type Platform } from '../../core/src/operations/platform-context.ts';
import type { StoredGeneration } from '../../core/src/ports/environment-store.ts';
import { openAuthority, ownerSalt } from '../../core/src/sealing/authority.ts';
import { disposeKeys, openBasicUserKey, openGeneration } from '../../core/src/sealing/environment.ts';
import { UserKeys } from '../../core/src/sealing/user-keys.ts';
import { Computer } from './computer.ts';
import { createDiskFiles } from './disk-files.ts';
import { createFailingDisk, type FailingDisk } from './failing-disk.ts';
import { publicKeyOf } from './kept-files.ts';
import { giveTpm, makeEccEndorsementKey, type EndorsementKey } from './tpm-double.ts';
import { seededKeyPair } from './vectors/deterministic.ts';
import { createSeededRandom, createTestClock, createTestProcesses } from './surroundings.ts';

/** Below this folder, which no computer has, so that nothing can be taken for a file of the real disk. */
const root = '/simulated-computers';
/** Where the computers exchange files. */
export const share = `${root}/share`;

export interface Simulation {
  readonly disk: FailingDisk;
  readonly a: Computer;
  readonly b: Computer;
  readonly c: Computer;
}

/** A disk with the folders of the three computers and the share, and nothing in them. */
export async function emptyDisk(): Promise<FailingDisk> {
  const disk = createFailingDisk();
  for (const folder of [root, share, ...['PC-A', 'PC-B', 'PC-C'].map((name) => join(root, name))])
    await disk.makeFolder(folder, 0o700);
  return disk.restart(() => true);
}

/** Gives a computer its chip, where that is not the software chip. */
export type GiveChip = (computer: Computer, name: string) => Promise<void>;

/** One that was initialized with a TPM (a double) has it in every later program. */
const giveDouble: GiveChip = async (computer, name) => {
  const platform = await findPlatform(computer.ports);
  if (platform?.settings.chip === 'tpm2') giveTpm(computer, tpmOf(name));
};

/** The computers on a disk, as a new program with this process number sees them. `seed`: of its randomness. */
export async function simulate(
  disk: FailingDisk,
  pid: number,
  seed: string,
  giveChip: GiveChip = giveDouble,
): Promise<Simulation> {
  const machine = { disk, processes: createTestProcesses().start(pid) };
  const at = async (name: string): Promise<Computer> => {
    const computer = await Computer.at(
      join(root, name),
      {
        files: createDiskFiles(disk),
        clock: createTestClock().clock,
        random: createSeededRandom(`${seed} ${name}`),
      },
      machine,
    );
    await giveChip(computer, name);
    return computer;
  };
  return { disk, a: await at('PC-A'), b: await at('PC-B'), c: await at('PC-C') };
}

/** The endorsement key of a simulated computer's TPM: the same in every run. */
export const tpmOf = (name: string): EndorsementKey =>
  makeEccEndorsementKey(seededKeyPair(`endorsement key of ${name}`));

/** All that a person and an owner see of a computer; plain, to be compared as JSON. */
export type View = Readonly<Record<string, unknown>>;

/**
 * Reads everything. Throws where something is there and cannot be read, the history's chains included. `passwords`: those that
 * may open something.
 */
export async function viewOf(computer: Computer, passwords: readonly string[]): Promise<View> {
  // What the status takes from the history lags behind with it; it is no part of the environment.
  // A TPM counts tries for all its users, and a loss of power as one.
  const { passwordSet: _, chipFailedTries: __, ...status } = await computer.one('status');
  await computer.run('history');
  if (status.initialized !== true) return { status };
  const view: Record<string, unknown> = {
    status,
    access: await computer.run('access-list'),
    owner: await ownerPasswordOf(computer, passwords),
    ...(await generationsOf(computer, passwords)),
  };
  if (status.userInitialized !== true) return view;
  return {
    ...view,
    credentials: await computer.run('credential-list', { includeSetAside: true }),
    features: await computer.run('feature-list'),
  };
}

async function ownerPasswordOf({ ports }: Computer, passwords: readonly string[]): Promise<string> {
  const file = await ports.platform.authorityKey();
  if (file === undefined) return 'there is no authority key';
  return opensWith(file.bytes, passwords);
}

/** Which of the passwords opens an authority's key file. */
export async function opensWith(bytes: Uint8Array, passwords: readonly string[]): Promise<string> {
  const authority = decodeAuthorityFile(bytes, 'the file');
  for (const password of passwords) {
    using typed = new SecretBytes(utf8(password));
    using ownerRoot = await deriveRoot(typed, ownerSalt(authority));
    try {
      using key = openAuthority(authority, { ownerRoot }, 'the file');
      return key.public.length > 0 ? password : 'nothing';
    } catch (error) {
      if (!hasCode(error, 'OwnerPasswordRejected')) throw error;
    }
  }
  return 'nothing';
}

async function generationsOf(
  { ports }: Computer,
  passwords: readonly string[],
): Promise<{ readonly generations: readonly object[]; readonly quarantine: readonly object[] }> {
  const platform = await findPlatform(ports);
  if (platform === undefined) return { generations: [], quarantine: [] };
  const store = ports.environment(platform.ids.platformId, platform.ids.storageKeyName);
  const describe = async (stored: StoredGeneration | undefined): Promise<object> => {
    if (stored === undefined) throw new Error('a generation is listed and not there');
    return { generation: stored.generation, ...(await contentOf(platform, stored, passwords)) };
  };
  const generations: object[] = [];
  for (const id of await store.generations()) generations.push(await describe(await store.generation(id)));
  const quarantine: object[] = [];
  for (const { id } of await store.quarantine()) {
    for (const number of await store.quarantinedGenerations(id))
      quarantine.push({ id, ...(await describe(await store.quarantinedGeneration(id, number))) });
  }
  return { generations, quarantine };
}

/** Which password opens a generation, and the credentials and keys in it. */
async function contentOf(
  { chip, settings }: Platform,
  { bytes, path }: StoredGeneration,
  passwords: readonly string[],
): Promise<object> {
  const decoded = decodeGeneration(bytes, path);
  const { header, publicPart } = decoded;
  const credentials = publicPart.credentials.map(({ id, label }) => `${label} ${id}`);
  for (const password of passwords) {
    using typed = new SecretBytes(utf8(password));
    const keys = new UserKeys(await deriveRoot(typed, header.passwordSalt));
    try {
      const blob = openBasicUserKey(header, settings.chip, keys.atRest, 'the test');
      const key = { public: header.basicUserKey, private: blob };
      const loaded = await chip.loadBasicUserKey(key, keys.basicUserAuth);
      try {
        using vaultKey = await loaded.openVaultKey(header.vaultKey, keys.vaultAuth);
        const environment = openGeneration(decoded, { vaultKey, atRest: keys.atRest }, path);
        const held = [...environment.privatePart.keys.values()].map((one) => sha256(publicKeyOf(one)));
        const tombstones = environment.privatePart.tombstones.length;
        disposeKeys(environment);
        return { password, credentials, keys: held, tombstones };
      } finally {
        await loaded.dispose();
      }
    } catch (error) {
      if (!hasCode(error, 'PasswordRejected')) throw error;
    } finally {
      keys.dispose();
    }
  }
  return { credentials };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * A view as text in which identifiers that are not in `old` are only called new: two runs make different keys, and what counts
 * is that they made the same.
 */
export function comparable(view: View, old: View): string {
  return JSON.stringify(plainly(view, new Set(identifiersIn(JSON.stringify(old)))));
}

const identifier =
  /\b(?:[0-9a-f]{8,}|[0-9a-f]{4}(?:[ :-][0-9a-f]{4}){3,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/gi;

function identifiersIn(text: string): readonly string[] {
  return text.match(identifier) ?? [];
}

/** Lists in one order: many are sorted by identifiers, which differ from run to run. */
function plainly(value: unknown, known: ReadonlySet<string>): unknown {
  if (typeof value === 'string')
    return value.replaceAll(identifier, (text) => (known.has(text) ? text : '<new>'));
  if (Array.isArray(value)) {
    const items = value.map((item) => plainly(item, known));
    return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plainly(one, known)]));
}
