/** Every vector, in the order of their names. */
import { archiveCases } from './archive-cases.ts';
import { attestationCases } from './attestation-cases.ts';
import { grantCases } from './grant-cases.ts';
import { receiptCases } from './receipt-cases.ts';
import { storeCases } from './store-cases.ts';
import { otherTextCases, textCases } from './text-cases.ts';
import type { Vector } from './vector-file.ts';

export const vectors: readonly Vector[] = [
  ...textCases,
  ...attestationCases,
  ...otherTextCases,
  ...grantCases,
  ...archiveCases,
  ...receiptCases,
  ...storeCases,
].sort((a, b) => (a.name < b.name ? -1 : 1));
