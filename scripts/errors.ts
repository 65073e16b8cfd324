/** `npm run errors`: writes docs/errors.md from the catalogue of errors (scripts/errors/document.ts). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorsDocument } from './errors/document.ts';

await writeFile(join(import.meta.dirname, '../docs/errors.md'), errorsDocument());
