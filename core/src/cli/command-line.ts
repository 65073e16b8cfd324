/**
 * The command line for people without PowerShell: every operation as a yargs command, with `--help`, `--json`,
 * `--what-if` and shell completion. Secrets are asked on the terminal or read from standard input; they are never
 * arguments. Words of the operations are in `commands.ts`, their work in `perform.ts`.
 */
import { resolve } from 'node:path';
import yargs, { type Argv, type Options } from 'yargs';
import { exitCodeOf } from '../domain/error-catalogue.ts';
import { fail } from '../domain/error.ts';
import type { Call } from '../operations/operation.ts';
import { findOperation, type OperationEntry, type ParameterKind } from '../operations/registry.ts';
import { kebab } from './command-words.ts';
import { commandSummaries, parameterSummaries } from './commands.ts';
import { toCatalogue } from './failure.ts';
import { checkParameters } from './parameters.ts';
import { askable, performCommand, type Command } from './perform.ts';
import { errorAsJson, renderError } from './render.ts';
import { Terminal, type TerminalStreams } from './terminal.ts';

export interface CommandLineSurroundings extends TerminalStreams {
  readonly version: string;
  readonly compose: () => Promise<Call['ports']>;
  readonly interrupted: AbortSignal;
}

/** Makes a transfer code and shows it once. */
const newTransferCode = 'transfer-code';
const newTransferCodeSummary =
  'Let the archive open only together with a new transfer code, which is shown once on the terminal';

type Arguments = Readonly<Record<string, unknown>>;

/** Runs one command; answers the exit code (`docs/errors.md`). */
export async function runCommandLine(
  argv: readonly string[],
  surroundings: CommandLineSurroundings,
): Promise<number> {
  const terminal = new Terminal(surroundings);
  const json = argv.includes('--json');
  let chosen: Command | undefined;
  try {
    const parser = buildParser(argv, surroundings.version, (command) => {
      chosen = command;
    });
    await parser.parseAsync();
    if (chosen !== undefined)
      await performCommand(chosen, await surroundings.compose(), terminal, surroundings.interrupted);
    return 0;
  } catch (error) {
    const failure = toCatalogue(error);
    if (json) terminal.tell(errorAsJson(failure));
    else for (const line of renderError(failure)) terminal.tell(line);
    return exitCodeOf(failure.code);
  } finally {
    terminal.close();
  }
}

function buildParser(argv: readonly string[], version: string, choose: (command: Command) => void): Argv {
  const parser = yargs([...argv])
    .scriptName('spmigration')
    .usage(
      '$0 <command>\n\nMove a security environment from one computer to another, so that nobody can do it alone.',
    )
    .version(version)
    .locale('en')
    .strict()
    .recommendCommands()
    .demandCommand(1, 'Say which command to run.')
    .completion('completion', 'Print a script that completes commands in your shell')
    .epilogue('Exit codes and errors: docs/errors.md. Secrets are asked for, or read by the …-stdin options.')
    .help()
    .wrap(110)
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      // yargs hands over either its own complaint or what a handler threw.
      throw error ?? fail('UsageInvalid', { problem: message ?? 'The command cannot be understood.' });
    });
  for (const [name, summary] of Object.entries(commandSummaries)) {
    const entry = findOperation(name);
    if (entry === undefined) throw fail('InternalError', { problem: `no operation ${name}` });
    const positionals = entry.required.map((required) => `<${kebab(required)}>`);
    parser.command(
      [name, ...positionals].join(' '),
      summary,
      (builder) => describeCommand(builder, entry),
      (args: Arguments) => {
        choose(toCommand(name, entry, args));
      },
    );
  }
  return parser;
}

function describeCommand(builder: Argv, entry: OperationEntry): Argv {
  for (const [name, kind] of Object.entries(entry.parameters)) {
    const describe = parameterSummaries[name] ?? name;
    if (entry.required.includes(name)) {
      builder.positional(kebab(name), {
        describe,
        type: 'string',
        ...(kind.kind === 'choice' ? { choices: kind.choices } : {}),
      });
    } else builder.option(kebab(name), { describe, ...optionOf(kind) });
  }
  if (entry.kind === 'changer') {
    builder.option('what-if', { describe: 'Show what would happen, and change nothing', type: 'boolean' });
    builder.option('yes', { alias: 'y', describe: 'Agree to what would be asked', type: 'boolean' });
  }
  for (const secret of askable.filter((one) => (entry.secrets as readonly string[]).includes(one))) {
    builder.option(`${kebab(secret)}-stdin`, {
      describe: 'Read it from a line of standard input',
      type: 'boolean',
    });
  }
  if (makesTransferCode(entry))
    builder.option(newTransferCode, { describe: newTransferCodeSummary, type: 'boolean' });
  return builder.option('json', { describe: 'Print one JSON object per line', type: 'boolean' });
}

function optionOf(parameter: ParameterKind): Options {
  switch (parameter.kind) {
    case 'flag':
      return { type: 'boolean' };
    case 'number':
      return { type: 'number', requiresArg: true };
    case 'texts':
    case 'paths':
      return { type: 'string', array: true, nargs: 1, requiresArg: true };
    case 'choice':
      return { choices: parameter.choices, requiresArg: true };
    case 'text':
    case 'path':
    case 'instant':
      return { type: 'string', requiresArg: true };
  }
}

function toCommand(name: string, entry: OperationEntry, args: Arguments): Command {
  const refuse = (problem: string): ReturnType<typeof fail> => fail('UsageInvalid', { problem });
  const given: Record<string, unknown> = {};
  for (const [parameter, kind] of Object.entries(entry.parameters)) {
    given[parameter] = toAbsolute(kind, args[kebab(parameter)]);
  }
  const agreed = args.yes === true;
  // An agreement without a compared fingerprint is told and recorded by the operation.
  if (name === 'access-grant' && agreed && given.fingerprint === undefined) given.forced = true;
  const fromInput = askable.filter((secret) => args[`${kebab(secret)}-stdin`] === true);
  if (args[newTransferCode] === true && fromInput.includes('transferCode'))
    throw refuse(
      `--${newTransferCode} makes a code and --${newTransferCode}-stdin takes one: choose one of them`,
    );
  return {
    name,
    entry,
    parameters: checkParameters(entry, given, refuse),
    json: args.json === true,
    whatIf: args['what-if'] === true,
    agreed,
    fromInput,
    newTransferCode: args[newTransferCode] === true,
  };
}

/** Only who exports makes a code; everywhere else one is asked for. */
function makesTransferCode(entry: OperationEntry): boolean {
  return entry.result === 'Archive' && (entry.secrets as readonly string[]).includes('transferCode');
}

function toAbsolute(kind: ParameterKind, value: unknown): unknown {
  if (kind.kind === 'path' && typeof value === 'string') return resolve(value);
  if (kind.kind === 'paths' && Array.isArray(value)) return value.map((one) => resolve(String(one)));
  return value;
}
