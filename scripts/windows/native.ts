/** The small programs in C that the lane and its tests need, cross-compiled: their heads say what each is for. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../build/platform.ts';
import type { Lane } from './lane.ts';
import { run } from './run.ts';

const compiler = 'x86_64-w64-mingw32-gcc';
const common = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-static-libgcc', '-s'];
const folder = 'test/testkit/windows/native';
const tbs = 'test/testkit/tbs/tbs.c';

/** What they are made from, relative to the project. */
export const NATIVE_SOURCES = [folder, tbs];

export async function buildNative(lane: Lane): Promise<void> {
  await mkdir(lane.native, { recursive: true });
  const compile = (output: string, source: string, ...options: readonly string[]): Promise<string> =>
    run(compiler, [...common, '-o', join(lane.native, output), join(ROOT, source), ...options]);
  await compile('relay.exe', `${folder}/relay.c`, '-municode');
  await compile('stand-in.exe', `${folder}/stand-in.c`, '-municode');
  await compile('tbs.dll', tbs, '-shared', '-lws2_32');
}
