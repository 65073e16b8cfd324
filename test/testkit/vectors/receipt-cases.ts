/** Vectors of receipts: their form, and what contradicts itself in one. */
import { concat, utf8, toHex } from '../../../core/src/bytes/bytes.ts';
import { toId } from '../../../core/src/domain/ids.ts';
import type { Receipt } from '../../../core/src/domain/receipt.ts';
import { encodeReceipt } from '../../../core/src/format/receipt-v1.ts';
import { accepted, edited, refused, type Scenario } from './case.ts';
import { seeded } from './deterministic.ts';
import type { Vector } from './vector-file.ts';
import { anna, basicUserKeyName, day, grantAtoB, now, platformA, platformB } from './world.ts';

const merged: Receipt = {
  archive: toId('ArchiveId', toHex(seeded('archive', 16))),
  imported: now + day,
  rehearsal: false,
  sourceComputer: platformA.identity.computer,
  sourceKey: platformA.name,
  sourceAccount: anna.id,
  destinationComputer: platformB.identity.computer,
  destinationKey: platformB.name,
  account: {
    id: 'sid:S-1-12-1-1111-2222-3333-4444',
    name: 'AzureAD\\AnnaMüller',
    upn: 'anna@contoso.example',
  },
  basicUserKey: basicUserKeyName,
  case: 'merge',
  rekey: true,
  generation: 12,
  grant: toId('GrantSerial', toHex(seeded('serial for PC-B', 16))),
  counts: { Add: 1, Activate: 1, Retain: 1, Unchanged: 2, SetAside: 0, Skip: 1 },
  historyHead: seeded('history of B', 32),
};
const installed: Receipt = {
  ...merged,
  account: anna,
  case: 'install',
  rekey: false,
  generation: 1,
  counts: { Add: 2, Activate: 0, Retain: 0, Unchanged: 0, SetAside: 0, Skip: 0 },
  historyHead: new Uint8Array(),
};
const replaced: Receipt = { ...installed, case: 'replace', counts: { ...installed.counts, SetAside: 4 } };

const good = encodeReceipt(merged);
const install = encodeReceipt(installed);
const form = (comment: string): Scenario => ({ read: 'receipt', spec: 'receipt.md#structure', comment });
const reading = (comment: string): Scenario => ({
  read: 'receipt',
  spec: 'receipt.md#what-a-reader-refuses',
  comment,
});
const malformed = (name: string, comment: string, body: Uint8Array): Vector =>
  refused(`receipt-${name}`, 'ReceiptMalformed', reading(comment), body);

export const receiptCases: readonly Vector[] = [
  accepted('receipt-good', form('a merge that continued the key'), good),
  accepted('receipt-installed', form('an install whose history could not be recorded'), install),
  accepted('receipt-replaced', form('a replace'), encodeReceipt(replaced)),
  malformed('case', 'a case that does not exist', edited(good, 'case: merge', 'case: rekey')),
  malformed(
    'no-source-account',
    'the account at the source is missing',
    edited(good, /source-account: .*\n/, ''),
  ),
  malformed('count', 'more credentials than there can be', edited(good, 'added: 1', 'added: 20001')),
  malformed('generation', 'generation 0', edited(good, 'generation: 12', 'generation: 0')),
  malformed('short-head', 'a head of 31 bytes', edited(good, /(history-head: ).{2}/, '$1')),
  malformed('rekey-install', 'an install that continues a key', edited(install, 'rekey: no', 'rekey: yes')),
  malformed(
    'install-met',
    'an install that met credentials',
    edited(install, 'unchanged: 0', 'unchanged: 1'),
  ),
  malformed(
    'merge-set-aside',
    'a merge that set credentials aside',
    edited(good, 'set-aside: 0', 'set-aside: 1'),
  ),
  malformed('signed', 'a signature, which no receipt has', concat(good, utf8('\n-- 00 AA==\n'))),
  malformed('cut-off', 'the last line feed is missing', good.slice(0, -1)),
  refused('receipt-newer', 'VersionUnsupported', reading('a later version'), edited(good, 'v1', 'v2')),
  refused('receipt-crlf', 'FileMangled', reading('CR LF line ends'), edited(good, /\n/g, '\r\n')),
  refused('receipt-is-grant', 'WrongFileKind', reading('a grant instead'), grantAtoB),
  refused(
    'receipt-too-long',
    'LimitExceeded',
    reading('17 KiB, of which nothing is read'),
    concat(good, utf8('x\n'.repeat(8704))),
  ),
];
