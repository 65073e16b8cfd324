/**
 * One command, performed: secrets from standard input or the terminal, the plan shown where someone must agree, results
 * printed. A secret that an operation misses is asked for and the operation starts again; nothing was changed by then.
 */
import { fail, hasCode } from '../domain/error.ts';
import { SecretBytes } from '../bytes/secret-bytes.ts';
import { utf8 } from '../bytes/bytes.ts';
import { formatTransferCode, transferCodeBytes } from '../domain/transfer-code.ts';
import type { Call, Report } from '../operations/operation.ts';
import type { OperationEntry, ParameterValues } from '../operations/registry.ts';
import { applyChange, planChange, type ShownPlan } from '../operations/run.ts';
import { Secrets, type SecretName } from '../operations/secrets.ts';
import { inCommandWords } from './command-words.ts';
import { renderPlan, renderResult } from './render.ts';
import { withDates } from './result-values.ts';
import type { Terminal } from './terminal.ts';

export interface Command {
  readonly name: string;
  readonly entry: OperationEntry;
  readonly parameters: ParameterValues;
  readonly json: boolean;
  readonly whatIf: boolean;
  /** Agreed beforehand: `--yes`. */
  readonly agreed: boolean;
  /** Secrets that come from standard input, one line each, in this order. */
  readonly fromInput: readonly SecretName[];
  /** A transfer code is made here and shown: `--transfer-code`. */
  readonly newTransferCode: boolean;
}

/** Secrets that can be asked for, in the order in which `--…-stdin` options read their lines. */
export const askable = [
  'ownerPassword',
  'password',
  'currentPassword',
  'newPassword',
  'pfxPassword',
  'transferCode',
] as const;
type Askable = (typeof askable)[number];

const questions: Readonly<Record<Askable, string>> = {
  ownerPassword: 'Owner Password',
  password: 'Basic User Password',
  currentPassword: 'Present Basic User Password of this computer',
  newPassword: 'New password',
  pfxPassword: 'Password of the PKCS#12 file',
  transferCode: 'Transfer code',
};

/** Commands that set a password: it is typed twice. */
const settingPassword: Readonly<Record<string, Askable>> = {
  'authority-new': 'ownerPassword',
  'platform-initialize': 'ownerPassword',
  'user-initialize': 'password',
  'user-password': 'newPassword',
  'user-new-key': 'newPassword',
  'authority-password': 'newPassword',
};

export async function performCommand(
  command: Command,
  ports: Call['ports'],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const secrets = new Secrets(ports.random);
  try {
    for (const name of command.fromInput) secrets.put(name, await terminal.secretLine(questionFor(name)));
    const code = command.newTransferCode ? makeTransferCode(ports, secrets, terminal) : undefined;
    const call: Call = { ports, secrets, signal, report: reportTo(terminal) };
    const asked = new Set<Askable>();
    for (;;) {
      try {
        await performOnce(command, call, terminal);
        if (code !== undefined && !command.whatIf) showTransferCode(code, terminal);
        return;
      } catch (error) {
        const missing = missingSecret(error);
        if (missing === undefined || !terminal.interactive || asked.has(missing)) throw error;
        asked.add(missing);
        secrets.put(missing, await askFor(command, missing, terminal));
      }
    }
  } finally {
    secrets.dispose();
  }
}

/**
 * The new code, as text. A person must see it, and it must not end in a log: without a screen it is refused before anything
 * is written, and a script gives one that it made and keeps itself.
 */
function makeTransferCode(ports: Call['ports'], secrets: Secrets, terminal: Terminal): string {
  if (!terminal.isSeen) {
    throw fail('UsageInvalid', {
      problem:
        'A new transfer code is shown on the terminal, and there is none here: give one that you keep, with --transfer-code-stdin.',
    });
  }
  const code = formatTransferCode(ports.random(transferCodeBytes));
  secrets.put('transferCode', new SecretBytes(utf8(code)));
  return code;
}

function showTransferCode(code: string, terminal: Terminal): void {
  terminal.tell(`Transfer code: ${code}`);
  terminal.tell(
    'It is shown only now, and is kept nowhere. Write it down and keep it apart from the archive.',
  );
}

async function performOnce(
  { name, entry, parameters, ...options }: Command,
  call: Call,
  terminal: Terminal,
): Promise<void> {
  const print = (value: object): void => {
    printResult(value, options.json, terminal);
  };
  switch (entry.kind) {
    case 'reader': {
      const operation = await entry.load();
      let count = 0;
      for await (const value of operation(call, parameters)) {
        if (count++ > 0 && !options.json) terminal.print('');
        print(value);
      }
      return;
    }
    case 'changer': {
      if (options.whatIf) {
        const { plan } = await planChange(name, entry, call, parameters);
        for (const line of renderPlan(plan)) terminal.print(line);
        if (plan.refused !== undefined) terminal.tell(`warning: ${inCommandWords(plan.refused.message)}`);
        return;
      }
      const agree = (shown: ShownPlan): Promise<void> =>
        requireAgreement(shown, options.agreed, terminal, call.signal);
      const values = await applyChange(name, entry, call, parameters, undefined, agree);
      values.forEach(print);
      return;
    }
    case 'handover':
      throw fail('UsageInvalid', { problem: `${name} is an operation of the PowerShell module` });
  }
}

/** High impact needs someone's yes; a script says it with `--yes`. */
async function requireAgreement(
  { plan }: ShownPlan,
  agreed: boolean,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  if (agreed || plan.impact !== 'high') return;
  if (!terminal.interactive) throw fail('ConfirmationRequired', { action: `${plan.action}: ${plan.target}` });
  for (const line of renderPlan(plan)) terminal.tell(line);
  if (!(await terminal.confirm('Continue?', signal))) throw fail('OperationInterrupted');
}

function printResult(value: object, json: boolean, terminal: Terminal): void {
  if (json) terminal.print(JSON.stringify(withDates(value)));
  else for (const line of renderResult(value)) terminal.print(line);
}

function missingSecret(error: unknown): Askable | undefined {
  if (hasCode(error, 'OwnerPasswordRequired')) return 'ownerPassword';
  if (hasCode(error, 'PasswordRequired')) return 'password';
  if (hasCode(error, 'CurrentPasswordRequired')) return 'currentPassword';
  if (hasCode(error, 'NewPasswordRequired')) return 'newPassword';
  if (hasCode(error, 'TransferCodeRequired')) return 'transferCode';
  return hasCode(error, 'PfxPasswordRequired') ? 'pfxPassword' : undefined;
}

async function askFor({ name }: Command, secret: Askable, terminal: Terminal): Promise<SecretBytes> {
  const first = await terminal.askSecret(questions[secret]);
  if (settingPassword[name] !== secret) return first;
  using second = await terminal.askSecret(`${questions[secret]} again`);
  const same = Buffer.compare(first.reveal, second.reveal) === 0;
  if (same) return first;
  first.dispose();
  throw fail('PasswordUnacceptable', {
    which: questions[secret],
    problem: 'it was not typed the same twice',
  });
}

function questionFor(name: SecretName): string {
  const known = askable.find((one) => one === name);
  return known === undefined ? name : questions[known];
}

function reportTo(terminal: Terminal): Report {
  return {
    progress: () => undefined,
    verbose: () => undefined,
    warning: (message) => {
      terminal.tell(`warning: ${inCommandWords(message)}`);
    },
  };
}
