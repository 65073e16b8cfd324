/** `npm run refusals`: writes docs/spec/tpm-refusals.md from the cases that test/interop/tpm-refusals.test.ts puts to a TPM. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { refusalsDocument } from '../test/testkit/tpm-refusals/table.ts';

await writeFile(join(import.meta.dirname, '../docs/spec/tpm-refusals.md'), refusalsDocument());
