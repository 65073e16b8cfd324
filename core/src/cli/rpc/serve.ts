/**
 * The rpc loop: `spmigration rpc --protocol 1` (docs/spec/process-protocol.md). One request after the other; the end of
 * input cancels the one being worked on; ten seconds without another request end the conversation.
 */
import { fail } from '../../domain/error.ts';
import { findOperation } from '../../operations/registry.ts';
import { applyChange, planChange } from '../../operations/run.ts';
import type { Call } from '../../operations/operation.ts';
import { Secrets } from '../../operations/secrets.ts';
import { toCatalogue } from '../failure.ts';
import { RpcInput } from './input.ts';
import { RpcOutput } from './output.ts';
import {
  checkRequest,
  isSecretOf,
  maximumLineBytes,
  parseEnvelope,
  readSecrets,
  type Envelope,
} from './request.ts';

export interface RpcSurroundings {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: NodeJS.WritableStream;
  readonly version: string;
  readonly compose: () => Promise<Call['ports']>;
  readonly random: Call['ports']['random'];
  readonly idleMilliseconds: number;
}

/** Serves one conversation; answers the exit code. */
export async function serveRpc(argv: readonly string[], surroundings: RpcSurroundings): Promise<number> {
  const output = new RpcOutput(surroundings.stdout);
  output.hello(surroundings.version);
  if (argv.length !== 2 || argv[0] !== '--protocol' || argv[1] !== '1') {
    output.error(0, fail('ProtocolUnsupported', { version: argv[1] ?? 'unknown' }), null);
    return 8;
  }
  const cancel = new AbortController();
  const input = new RpcInput(surroundings.stdin, () => {
    cancel.abort();
  });
  const secrets = new Secrets(surroundings.random);
  // Composed at the first request and kept: a failure (a folder that is not the caller's own) is that request's answer.
  let composed: Promise<Call['ports']> | undefined;
  const ports = (): Promise<Call['ports']> => (composed ??= surroundings.compose());
  try {
    while (await untilRequest(input, surroundings.idleMilliseconds)) {
      if (!(await answerNext({ input, output, ports, secrets, signal: cancel.signal }))) break;
    }
    return 0;
  } finally {
    secrets.dispose();
  }
}

interface Conversation {
  readonly input: RpcInput;
  readonly output: RpcOutput;
  readonly ports: () => Promise<Call['ports']>;
  readonly secrets: Secrets;
  readonly signal: AbortSignal;
}

/** False once nobody asks any more. */
async function untilRequest(input: RpcInput, idleMilliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const idle = new Promise<'idle'>((resolve) => {
    timer = setTimeout(resolve, idleMilliseconds, 'idle');
  });
  const first = await Promise.race([input.available(), idle]);
  clearTimeout(timer);
  return first !== 'idle';
}

/** Answers one request; false where the conversation cannot go on. */
async function answerNext(conversation: Conversation): Promise<boolean> {
  const { input, output, secrets } = conversation;
  let envelope: Envelope;
  try {
    const line = await input.line(maximumLineBytes);
    if (line === undefined) return false;
    envelope = parseEnvelope(line);
  } catch (error) {
    // What follows on the stream cannot be told from secrets any more.
    output.error(0, toCatalogue(error), null);
    output.end(0, false);
    return false;
  }
  const read = await readSecrets(input, envelope);
  if (read === undefined) return false;
  const entry = findOperation(envelope.name);
  if (envelope.mode !== 'apply') secrets.dropValues();
  for (const [name, secret] of read) {
    if (entry !== undefined && isSecretOf(entry, name)) secrets.put(name, secret);
    else secret.dispose();
  }
  try {
    await answer(conversation, envelope);
    output.end(envelope.id, true);
  } catch (error) {
    const { path, destination, credential } = envelope.parameters;
    const target = [path, destination, credential].find((one) => typeof one === 'string') ?? null;
    output.error(envelope.id, toCatalogue(error), target);
    output.end(envelope.id, false);
  } finally {
    secrets.dropPasswords();
  }
  return true;
}

async function answer({ output, ports, secrets, signal }: Conversation, envelope: Envelope): Promise<void> {
  const { id, name, mode, planId, whatIf } = envelope;
  const { entry, parameters } = checkRequest(envelope);
  const call: Call = {
    ports: await ports(),
    secrets,
    signal,
    report: {
      progress: (activity, status, percent) => {
        output.progress(id, activity, status, percent);
      },
      verbose: (message) => {
        output.verbose(id, message);
      },
      warning: (message, code) => {
        output.warning(id, message, code);
      },
    },
  };
  switch (entry.kind) {
    case 'reader': {
      const operation = await entry.load();
      for await (const value of operation(call, parameters)) output.result(id, entry.result, value);
      return;
    }
    case 'handover': {
      const operation = await entry.load();
      const { value, pfx } = await operation(call, parameters);
      output.secret(id, 'pfx', pfx);
      pfx.dispose();
      output.result(id, entry.result, value);
      return;
    }
    case 'changer': {
      if (mode === 'plan') {
        const shown = await planChange(name, entry, call, parameters, whatIf ? 'looks' : 'intends');
        const { refused } = shown.plan;
        if (refused !== undefined && parameters.allowReplace !== true)
          output.warning(id, refused.message, refused.code);
        output.plan(id, name, shown);
        return;
      }
      for (const value of await applyChange(name, entry, call, parameters, planId))
        output.result(id, entry.result, value);
    }
  }
}
