/**
 * Names and paths inside a user's store (docs/spec/environment-store.md, "Folder"). Names found on the disk are only ever
 * parsed here, to numbers; paths are made from numbers, so no name from a disk or a file becomes part of a path.
 */
import { join } from 'node:path';
import { largestNumber } from './state-files.ts';

export const folderMode = 0o700;
export const fileMode = 0o600;
export interface Layout {
  readonly folder: string;
  readonly current: string;
  readonly installed: string;
  readonly attempts: string;
  readonly epochs: string;
  readonly quarantine: string;
  readonly epoch: (epoch: number) => string;
  readonly generation: (epoch: number, generation: number) => string;
  readonly quarantined: (epoch: number) => string;
  readonly quarantinedGeneration: (epoch: number, generation: number) => string;
}

export function layoutOf(folder: string): Layout {
  const epochs = join(folder, 'epochs');
  const quarantine = join(folder, 'quarantine');
  const epoch = (number: number): string => join(epochs, String(number));
  const quarantined = (number: number): string => join(quarantine, String(number));
  return {
    folder,
    current: join(folder, 'current'),
    installed: join(folder, 'installed'),
    attempts: join(folder, 'attempts'),
    epochs,
    quarantine,
    epoch,
    generation: (number, generation) => join(epoch(number), generationName(generation)),
    quarantined,
    quarantinedGeneration: (number, generation) => join(quarantined(number), generationName(generation)),
  };
}

/** `000007.spenv`. */
export function generationName(generation: number): string {
  return `${String(generation).padStart(6, '0')}.spenv`;
}

/** The number in exactly that form; undefined for any other name. */
export function parseGenerationName(name: string): number | undefined {
  const number = parseNumber(/^([0-9]+)\.spenv$/.exec(name)?.[1]?.replace(/^0{1,5}/, ''));
  return number !== undefined && generationName(number) === name ? number : undefined;
}

/** An epoch's folder name. */
export function parseEpochName(name: string): number | undefined {
  return parseNumber(name);
}

function parseNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^[1-9][0-9]{0,8}$/.test(text)) return undefined;
  const number = Number(text);
  return number <= largestNumber ? number : undefined;
}
