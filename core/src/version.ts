/**
 * The product's version, written once in the repository's package.json. From source that file is read as it stands;
 * the bundler (scripts/build/bundle.ts) replaces it by its version field alone, so the executable carries nothing else
 * of it. Leaves out: protocol and format versions, which live with their formats.
 */
import manifest from '../../package.json' with { type: 'json' };

/** Semantic version, for example `1.4.0`. */
export const VERSION: string = manifest.version;
