/** The rpc format's requests: one JSON line, strictly checked, and the secrets announced in it (docs/spec/process-protocol.md). */
import { fromUtf8 } from '../../bytes/bytes.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { fail, type SPMigrationError } from '../../domain/error.ts';
import { findOperation, type OperationEntry, type ParameterValues } from '../../operations/registry.ts';
import type { SecretName } from '../../operations/secrets.ts';
import { checkParameters } from '../parameters.ts';
import type { RpcInput } from './input.ts';

export type RequestMode = 'run' | 'plan' | 'apply';

/** A request's envelope: enough to answer it, also with an error. */
export interface Envelope {
  readonly id: number;
  readonly name: string;
  readonly mode: RequestMode;
  readonly planId: string | undefined;
  /** With `plan`: the caller only looks, and will not apply it. */
  readonly whatIf: boolean;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly secrets: readonly { readonly name: string; readonly bytes: number }[];
}

/** A request whose operation and parameters are checked. */
export interface Request {
  readonly entry: OperationEntry;
  readonly parameters: ParameterValues;
}

export const maximumLineBytes = 1024 * 1024;
const maximumSecrets = 8;
const maximumSecretBytes = 64 * 1024;
const maximumPfxBytes = 10 * 1024 * 1024;

/** Reads one line as an envelope. `RequestMalformed`: the conversation cannot go on, since what follows is unknown. */
export function parseEnvelope(line: Uint8Array): Envelope {
  const text = fromUtf8(line);
  if (text === undefined) throw malformed('it is not UTF-8');
  const value = parseJson(text);
  const allowed = ['v', 'id', 'cmd', 'mode', 'planId', 'whatIf', 'params', 'secrets'];
  const unknown = Object.keys(value).find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw malformed(`there is no field ${unknown}`);
  if (value.v !== 1) throw malformed('v is not 1');
  const { id, cmd, mode = 'run', planId, whatIf = false, params = {}, secrets = [] } = value;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1)
    throw malformed('id is not a positive whole number');
  if (typeof cmd !== 'string') throw malformed('cmd is missing');
  if (mode !== 'run' && mode !== 'plan' && mode !== 'apply') throw malformed('mode is unknown');
  if (planId !== undefined && typeof planId !== 'string') throw malformed('planId is not text');
  if (typeof whatIf !== 'boolean') throw malformed('whatIf is not true or false');
  if (!isRecord(params)) throw malformed('params is not an object');
  if (!Array.isArray(secrets) || secrets.length > maximumSecrets)
    throw malformed('secrets is not a short list');
  return { id, name: cmd, mode, planId, whatIf, parameters: params, secrets: secrets.map(secretFrame) };
}

/** Reads the secrets that an envelope announces; undefined where the input ended before. The receiver owns them. */
export async function readSecrets(
  input: RpcInput,
  envelope: Envelope,
): Promise<readonly (readonly [string, SecretBytes])[] | undefined> {
  const secrets: (readonly [string, SecretBytes])[] = [];
  for (const { name, bytes } of envelope.secrets) {
    const secret = await input.bytes(bytes);
    if (secret === undefined) {
      for (const [, read] of secrets) read.dispose();
      return undefined;
    }
    secrets.push([name, new SecretBytes(secret)]);
  }
  return secrets;
}

/** Checks operation, mode, parameters and names of secrets. `RequestMalformed`, `ParameterInvalid`. */
export function checkRequest(envelope: Envelope): Request {
  const entry = findOperation(envelope.name);
  if (entry === undefined) throw malformed(`there is no operation ${envelope.name}`);
  if (entry.kind !== 'changer' && envelope.mode !== 'run')
    throw malformed(`${envelope.name} has no ${envelope.mode}`);
  if ((envelope.mode === 'apply') !== (envelope.planId !== undefined))
    throw malformed('planId goes with apply, and only there');
  if (envelope.whatIf && envelope.mode !== 'plan') throw malformed('whatIf goes with plan, and only there');
  for (const { name } of envelope.secrets) {
    if (!isSecretOf(entry, name)) throw malformed(`${envelope.name} takes no secret ${name}`);
  }
  return { entry, parameters: checkParameters(entry, envelope.parameters, malformed) };
}

/** Whether an operation takes a secret of this name. */
export function isSecretOf(entry: OperationEntry, name: string): name is SecretName {
  return (entry.secrets as readonly string[]).includes(name);
}

function secretFrame(value: unknown): { name: string; bytes: number } {
  if (!isRecord(value) || typeof value.name !== 'string' || typeof value.bytes !== 'number') {
    throw malformed('a secret is not announced by name and bytes');
  }
  const { name, bytes } = value;
  const maximum = name === 'pfx' ? maximumPfxBytes : maximumSecretBytes;
  if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > maximum)
    throw malformed(`the secret ${name} is too long`);
  return { name, bytes };
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw malformed('it is not JSON');
  }
  if (!isRecord(value)) throw malformed('it is not a JSON object');
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function malformed(problem: string): SPMigrationError {
  return fail('RequestMalformed', { problem });
}
