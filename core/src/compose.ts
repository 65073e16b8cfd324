/**
 * The only file that builds adapters: from the environment variables and the system of this process to the `Ports` that
 * operations get. Holds no rule of its own. What a status request does not need (the ZIP libraries) is loaded when it is
 * first used.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createSoftwareChip } from './adapters/chip-software/software-chip.ts';
import { createEnvironmentStore } from './adapters/store-file/environment-store.ts';
import { createHistory } from './adapters/store-file/history.ts';
import { createPlatformStore } from './adapters/store-file/platform-store.ts';
import {
  callerFolder,
  createAccount,
  findFileOwners,
  personOf,
  type FileOwners,
} from './adapters/system/account.ts';
import { createFiles } from './adapters/system/files.ts';
import { findFolders, requireOwnHome, type Folders } from './adapters/system/folders.ts';
import { createFileSystem } from './adapters/system/node-file-system.ts';
import { createPolicy } from './adapters/system/policy.ts';
import { createProcesses } from './adapters/system/processes.ts';
import { systemClock, systemRandom } from './adapters/system/surroundings.ts';
import { createZipContainer } from './adapters/zip/container.ts';
import { sha256 } from './crypto/hash.ts';
import { decodePlatformSettings } from './format/platform-v1.ts';
import { decodePolicy } from './format/policy-v1.ts';
import type { AccountPort } from './ports/account.ts';
import type { FileSystem } from './ports/file-system.ts';
import type { MachineProtection } from './ports/machine-protection.ts';
import type { Ports } from './ports/ports.ts';
import type { Processes } from './ports/processes.ts';
import { platformIdsOf } from './sealing/fingerprints.ts';

export { systemRandom };

/** What the stores stand on: a computer's disk and the processes that live on it. */
export interface Machine {
  readonly disk: FileSystem;
  readonly processes: Processes;
  /** The caller, where it is not this process's account. */
  readonly caller?: Caller;
}

export interface Caller {
  readonly owners: FileOwners;
  /** Name of its folder in a rehearsal's `users/`. */
  readonly folder: string;
  readonly account: AccountPort;
}

/**
 * The ports of this process. `PlatformFolderUntrusted` where SPMIGRATION_HOME is not the caller's own folder. Tests give a
 * `machine` of their own, all of whose state then lies on its disk; files that people name (`files`) stay on the real one.
 */
export async function composePorts(
  env: NodeJS.ProcessEnv,
  system: NodeJS.Platform = process.platform,
  machine?: Machine,
): Promise<Ports> {
  const folders = findFolders(env, system, machine?.caller?.folder ?? callerFolder());
  const rehearsal = folders.home !== undefined;
  const owners = machine?.caller?.owners ?? findFileOwners(system, rehearsal);
  const { disk, processes } = machine ?? (await thisMachine(system, folders, owners));
  if (folders.home !== undefined) await requireOwnHome(folders.home, owners.ofPlatform, disk);
  const account = machine?.caller?.account ?? createAccount(system, env, folders.home);
  return {
    chip: async (kind, recorded) => {
      switch (kind) {
        case 'software':
          return createSoftwareChip({
            folder: join(folders.platform, 'public'),
            disk,
            random: systemRandom,
            ...(system === 'win32' && !rehearsal && { protection: await windowsProtection() }),
          });
        case 'tpm2': {
          const { createTpm2Chip } = await import('./adapters/chip-tpm2/tpm2-chip.ts');
          const { findTransport } = await import('./adapters/chip-tpm2/transport/find-transport.ts');
          return createTpm2Chip({
            find: () => findTransport({ system, rehearsal, tpm: env.SPMIGRATION_TPM }),
            random: systemRandom,
            delay,
            recorded,
            platformPath: folders.platform,
          });
        }
      }
    },
    platform: createPlatformStore({
      disk,
      processes,
      folder: folders.platform,
      owners: owners.ofPlatform,
      platformIdOf: ({ bytes, path }) => platformIdsOf(decodePlatformSettings(bytes, path)).platformId,
      personOf: (owner, platform) => personOf(owner, platform, rehearsal ? owners : undefined),
      inherits: rehearsal && owners.caller.startsWith('sid:'),
    }),
    environment: (platform, storageKey) =>
      createEnvironmentStore({ disk, processes, folder: folders.user(platform), platform, storageKey }),
    archives: createZipContainer(),
    files: createFiles(system, disk, systemRandom),
    account,
    policy: createPolicy(system, folders.policies, disk, decodePolicy),
    history: (platform) =>
      createHistory({
        disk,
        processes,
        sha256,
        platformFile: join(folders.platform, 'private', 'history'),
        userFile: platform === undefined ? undefined : join(folders.user(platform), 'history'),
      }),
    clock: systemClock,
    random: systemRandom,
    certificateStoreProtected: system === 'win32',
    rehearsal,
  };
}

async function thisMachine(
  system: NodeJS.Platform,
  { platform, home }: Folders,
  { caller }: FileOwners,
): Promise<Machine> {
  const processes = createProcesses(system);
  if (system !== 'win32') return { disk: createFileSystem(system), processes };
  const { createAccessLists } = await import('./adapters/system/access-lists.ts');
  const { windowsFiles } = await import('./adapters/system/windows-files.ts');
  const sid = caller.slice('sid:'.length);
  const access = createAccessLists({ platform, home, caller: sid, windows: windowsFiles });
  return { disk: createFileSystem(system, access), processes };
}

async function windowsProtection(): Promise<MachineProtection> {
  return (await import('./adapters/system/windows-secrets.ts')).windowsProtection();
}
