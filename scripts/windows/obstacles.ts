/** Why the lane cannot be set up on this machine, and what a person can do about it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { currentPlatform } from '../build/platform.ts';
import { Lane, laneFolder } from './lane.ts';
import { DEBIAN_KEYRING, debianMirror } from './packages.ts';

/** Program to Debian's package. */
const programs: Readonly<Record<string, string>> = {
  'apt-get': 'apt',
  'dpkg-deb': 'dpkg',
  tar: 'tar',
  patchelf: 'patchelf',
  'x86_64-w64-mingw32-gcc': 'gcc-mingw-w64-x86-64-win32',
  swtpm: 'swtpm',
  openssl: 'openssl',
};

/** One line for each; empty where it can be set up. */
export function obstacles(): readonly string[] {
  if (currentPlatform() !== 'linux-x64') return ['it needs Linux on x64'];
  const found: string[] = [];
  for (const [program, name] of Object.entries(programs))
    if (!starts(program)) found.push(`there is no ${program} (Debian: apt-get install ${name})`);
  if (!starts('dotnet')) found.push('there is no dotnet (the .NET SDK 10)');
  // What has been fetched once serves.
  if (!existsSync(new Lane(laneFolder()).packages)) {
    if (starts('apt-get') && debianMirror() === undefined)
      found.push('the configuration of apt names no mirror of Debian, from which Wine comes');
    if (!existsSync(DEBIAN_KEYRING))
      found.push(`there is no ${DEBIAN_KEYRING} (Debian: apt-get install debian-archive-keyring)`);
  }
  return found;
}

function starts(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}
