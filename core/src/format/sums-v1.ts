/**
 * The archive entry `sums`, docs/spec/archive.md, "Sums": SHA-256 of `manifest` and `environment`. It detects damage on
 * the way only; who changes an archive can change it as well. Leaves out computing and comparing (`sealing/archive.ts`).
 */
import { hexBytes } from './forms.ts';
import { TextReader, TextWriter } from './text.ts';

/** SHA-256 of two entries, 32 bytes each. */
export interface Sums {
  readonly manifest: Uint8Array;
  readonly environment: Uint8Array;
}

const sha256 = hexBytes(32);

export function encodeSums(sums: Sums): Uint8Array {
  return new TextWriter('sums')
    .field('manifest', sha256, sums.manifest)
    .field('environment', sha256, sums.environment)
    .done();
}

/** `path` is for messages. `ArchiveMalformed`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeSums(bytes: Uint8Array, path: string): Sums {
  const reader = new TextReader(bytes, 'sums', path);
  const sums = {
    manifest: reader.field('manifest', sha256),
    environment: reader.field('environment', sha256),
  };
  reader.end();
  return sums;
}
