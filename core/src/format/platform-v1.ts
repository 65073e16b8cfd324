/**
 * Platform settings (`platform/public/platform`), docs/spec/environment-store.md, "Platform folder": what initialisation
 * recorded. Leaves out the folder and its permissions (`adapters/store-file`).
 */
import type { PlatformSettings } from '../domain/platform.ts';
import { computerName, instant, publicArea, word, yesNo } from './forms.ts';
import { chipKind } from './identity-v1.ts';
import { TextReader, TextWriter } from './text.ts';

const authorityPlace = word('local', 'fleet');

/** `ParameterInvalid` or `LimitExceeded` where the format cannot hold a value. */
export function encodePlatformSettings(settings: PlatformSettings): Uint8Array {
  return new TextWriter('platform')
    .field('computer', computerName, settings.computer)
    .field('chip', chipKind, settings.chip)
    .field('rehearsal', yesNo, settings.rehearsal)
    .field('storage-key', publicArea, settings.storageKey)
    .field('authority-key', publicArea, settings.authorityKey)
    .field('authority', authorityPlace, settings.authority)
    .field('created', instant, settings.created)
    .done();
}

/** `path` is for messages. `PlatformDamaged`, `StoreNewer`, `LimitExceeded`. */
export function decodePlatformSettings(bytes: Uint8Array, path: string): PlatformSettings {
  const reader = new TextReader(bytes, 'platform', path);
  const settings: PlatformSettings = {
    computer: reader.field('computer', computerName),
    chip: reader.field('chip', chipKind),
    rehearsal: reader.field('rehearsal', yesNo),
    storageKey: reader.field('storage-key', publicArea),
    authorityKey: reader.field('authority-key', publicArea),
    authority: reader.field('authority', authorityPlace),
    created: reader.field('created', instant),
  };
  reader.end();
  return settings;
}
