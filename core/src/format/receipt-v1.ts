/**
 * Receipts, docs/spec/receipt.md: what an import leaves for the source's owner and user to file. Unsigned, since the person
 * who imports has no signing key: it proves something only together with a history that has its head.
 */
import { limits } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import type { ImportAction } from '../domain/import-plan.ts';
import type { Receipt } from '../domain/receipt.ts';
import {
  accountId,
  computerName,
  count,
  hexBytes,
  id,
  instant,
  readAccount,
  word,
  writeAccount,
  yesNo,
} from './forms.ts';
import { TextReader, TextWriter } from './text.ts';

const importCase = word('install', 'merge', 'replace');
const generation = count(1, 4_294_967_295);
// An environment that was set aside counts as well.
const credentials = count(0, 2 * limits.credentials);
const head = hexBytes(32);

/** Field of each action, in the order of the file. */
const countFields: Readonly<Record<ImportAction, string>> = {
  Add: 'added',
  Activate: 'activated',
  Retain: 'retained',
  Unchanged: 'unchanged',
  SetAside: 'set-aside',
  Skip: 'skipped',
};
const actions = Object.keys(countFields) as ImportAction[];

/** `ParameterInvalid` or `LimitExceeded` where the format cannot hold a value. */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const problem = contradiction(receipt);
  if (problem !== undefined) throw fail('ParameterInvalid', { parameter: 'receipt', problem });
  const writer = new TextWriter('receipt')
    .field('archive', id('ArchiveId'), receipt.archive)
    .field('imported', instant, receipt.imported)
    .field('rehearsal', yesNo, receipt.rehearsal)
    .field('source-computer', computerName, receipt.sourceComputer)
    .field('source-key', id('TpmName'), receipt.sourceKey)
    .field('source-account', accountId, receipt.sourceAccount)
    .field('destination-computer', computerName, receipt.destinationComputer)
    .field('destination-key', id('TpmName'), receipt.destinationKey);
  writeAccount(writer, receipt.account);
  writer
    .field('basic-user-key', id('TpmName'), receipt.basicUserKey)
    .field('case', importCase, receipt.case)
    .field('rekey', yesNo, receipt.rekey)
    .field('generation', generation, receipt.generation)
    .field('grant', id('GrantSerial'), receipt.grant);
  for (const action of actions) writer.field(countFields[action], credentials, receipt.counts[action]);
  return writer
    .optional('history-head', head, receipt.historyHead.length === 0 ? undefined : receipt.historyHead)
    .done();
}

/** `path` is for messages. `ReceiptMalformed`, `WrongFileKind`, `FileMangled`, `VersionUnsupported`, `LimitExceeded`. */
export function decodeReceipt(bytes: Uint8Array, path: string): Receipt {
  const reader = new TextReader(bytes, 'receipt', path);
  const before = {
    archive: reader.field('archive', id('ArchiveId')),
    imported: reader.field('imported', instant),
    rehearsal: reader.field('rehearsal', yesNo),
    sourceComputer: reader.field('source-computer', computerName),
    sourceKey: reader.field('source-key', id('TpmName')),
    sourceAccount: reader.field('source-account', accountId),
    destinationComputer: reader.field('destination-computer', computerName),
    destinationKey: reader.field('destination-key', id('TpmName')),
    account: readAccount(reader),
    basicUserKey: reader.field('basic-user-key', id('TpmName')),
    case: reader.field('case', importCase),
    rekey: reader.field('rekey', yesNo),
    generation: reader.field('generation', generation),
    grant: reader.field('grant', id('GrantSerial')),
  };
  const counts = {
    Add: reader.field(countFields.Add, credentials),
    Activate: reader.field(countFields.Activate, credentials),
    Retain: reader.field(countFields.Retain, credentials),
    Unchanged: reader.field(countFields.Unchanged, credentials),
    SetAside: reader.field(countFields.SetAside, credentials),
    Skip: reader.field(countFields.Skip, credentials),
  };
  const historyHead = reader.optional('history-head', head) ?? new Uint8Array();
  reader.end();
  const receipt = { ...before, counts, historyHead };
  const problem = contradiction(receipt);
  if (problem !== undefined) throw reader.malformed(problem, -1);
  return receipt;
}

/** What in the receipt contradicts something else in it; undefined where nothing does. */
function contradiction({ case: kind, rekey, counts }: Receipt): string | undefined {
  if (rekey && kind !== 'merge') return 'only a merge continues a key';
  if (counts.SetAside > 0 && kind !== 'replace') return 'only a replace sets credentials aside';
  const here = counts.Activate + counts.Retain + counts.Unchanged + counts.Skip;
  if (here > 0 && kind !== 'merge') return 'only a merge meets credentials that are there already';
  return undefined;
}
