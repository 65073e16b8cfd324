/**
 * What large environments cost beyond the password derivation: a merge of as many credentials as are here, at 50, 500 and
 * 5,000 (through the process protocol, with the executable), and opening a store that keeps ten generations of 500. The
 * credentials are real: P-256 keys with certificates, because an import checks each.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { composePorts } from '../../core/src/compose.ts';
import { readPrivateKey } from '../../core/src/crypto/private-key.ts';
import { buildSelfSigned } from '../../core/src/crypto/x509-making.ts';
import type { Credential, Environment } from '../../core/src/domain/environment.ts';
import { userForChange } from '../../core/src/operations/change-environment.ts';
import type { Call } from '../../core/src/operations/operation.ts';
import { Secrets } from '../../core/src/operations/secrets.ts';
import { commitEnvironment, unlock } from '../../core/src/operations/user-context.ts';
import { credentialIdOf } from '../../core/src/sealing/fingerprints.ts';
import { Conversation } from './conversation.ts';
import { interleaved, limitRow, median, timeOfArgon2, type Row } from './harness.ts';

const SIZES = [50, 500, 5000] as const;
const ROUNDS = 3;
const OWNER = { ownerPassword: 'the owner is not the user' };
const USER = { password: 'the user is not the owner' };

export async function environmentRows(executable: string): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'spmigration-bench-'));
  try {
    const merges = new Map<number, number>();
    for (const size of SIZES) merges.set(size, await mergeTime(executable, join(folder, String(size)), size));
    const opening = await openingTime(join(folder, '500', 'B'));
    const [small = 0, middle = 0, large = 0] = SIZES.map((size) => merges.get(size));
    const slope = (large - middle) / (SIZES[2] - SIZES[1]) / ((middle - small) / (SIZES[1] - SIZES[0]));
    const note = SIZES.map((size) => `${size}: ${(merges.get(size) ?? 0).toFixed(0)} ms`).join(', ');
    return [
      limitRow('merge of 500 credentials into 500 beyond Argon2id', middle, 'ms', 1000, note),
      limitRow('… cost of each credential at 5,000 against 500', slope, '×', 1.5, 'linear is 1'),
      limitRow('opening a store with 10 generations of 500 credentials', opening, 'ms', 50, 'in process'),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Milliseconds of an import of `size` credentials into `size` others, without the derivation. */
async function mergeTime(executable: string, folder: string, size: number): Promise<number> {
  const [source, destination] = [join(folder, 'A'), join(folder, 'B')];
  for (const home of [source, destination]) mkdirSync(home, { mode: 0o700, recursive: true });
  const b = new Conversation(executable, destination);
  await b.ask('platform-initialize', {}, OWNER);
  const [identity] = await b.ask('identity-export', { path: folder });
  const a = new Conversation(executable, source);
  await a.ask('platform-initialize', {}, OWNER);
  await a.ask('user-initialize', {}, USER);
  await a.ask('access-grant', { path: identity?.path, fingerprint: identity?.fingerprint }, OWNER);
  await a.close();
  await b.close();
  // Each in a process of its own: making thousands of certificates takes longer than an idle one lives.
  const exported = async (name: string): Promise<string> => {
    const path = join(folder, name);
    await askOnce(executable, source, 'export', { path, destination: 'B' });
    return path;
  };
  await fill(source, await makeCredentials(size));
  await askOnce(executable, destination, 'import', { path: await exported('first.sparc') });
  await fill(source, await makeCredentials(size));
  const path = await exported('second.sparc');
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const home = join(folder, `B-${round}`);
    cpSync(destination, home, { recursive: true, preserveTimestamps: true });
    const argon2 = timeOfArgon2();
    const here = new Conversation(executable, home);
    await here.ask('status');
    const start = performance.now();
    await here.ask('import', { path }, USER);
    times.push(performance.now() - start - argon2);
    await here.close();
  }
  return median(times);
}

async function askOnce(
  executable: string,
  home: string,
  operation: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<void> {
  const conversation = new Conversation(executable, home);
  await conversation.ask(operation, parameters, USER);
  await conversation.close();
}

interface MadeCredential {
  readonly credential: Credential;
  readonly key: Uint8Array;
}

async function makeCredentials(count: number): Promise<readonly MadeCredential[]> {
  const now = Math.floor(Date.now() / 1000);
  const made: MadeCredential[] = [];
  for (let number = 1; number <= count; number++) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' }));
    using pkcs8 = SecretBytes.copyOf(key);
    const certificate = await buildSelfSigned({
      subject: `CN=Credential ${number}`,
      emailAddresses: [`c${number}@example.org`],
      purposes: ['emailProtection'],
      privateKey: pkcs8,
      serialNumber: new Uint8Array(randomBytes(16)),
      notBefore: now,
      notAfter: now + 365 * 86_400,
    });
    const read = readPrivateKey(pkcs8, 'the new key');
    const { publicKey } = read;
    made.push({
      key: read.pkcs8.reveal.slice(),
      credential: {
        id: credentialIdOf(publicKey, certificate),
        label: `Credential ${number}`,
        publicKey,
        certificate,
        chain: [],
        request: undefined,
        origin: 'new',
        added: now,
        protection: 'vault',
      },
    });
    read.pkcs8.dispose();
  }
  return made.toSorted((one, other) => (one.credential.id < other.credential.id ? -1 : 1));
}

/** Puts exactly these credentials into the environment, the first of them active. */
async function fill(home: string, made: readonly MadeCredential[]): Promise<void> {
  await changing(home, ({ publicPart, privatePart }) => {
    const [first] = made;
    return {
      publicPart: {
        ...publicPart,
        credentials: made.map(({ credential }) => credential),
        features: first === undefined ? {} : { SecureEmail: first.credential.id },
        proposed: {},
      },
      privatePart: {
        ...privatePart,
        keys: new Map(made.map(({ credential, key }) => [credential.id, SecretBytes.copyOf(key)])),
      },
    };
  });
}

/** Median milliseconds from nothing to an open environment, the password's root being there. */
async function openingTime(home: string): Promise<number> {
  for (let generation = 0; generation < 10; generation++) await changing(home, (environment) => environment);
  return await withCall(home, async (call) => {
    const open = async (): Promise<void> => {
      const user = await userForChange(call, {});
      await (await unlock(call, user)).dispose();
    };
    await open();
    const [timing] = await interleaved([{ name: 'open', run: open }], 15);
    return timing?.median ?? NaN;
  });
}

async function changing(home: string, change: (environment: Environment) => Environment): Promise<void> {
  await withCall(home, async (call) => {
    const user = await userForChange(call, {});
    const unlocked = await unlock(call, user);
    await commitEnvironment(call, user, unlocked, change(unlocked.environment));
    await unlocked.dispose();
  });
}

async function withCall<Value>(home: string, work: (call: Call) => Promise<Value>): Promise<Value> {
  const ports = await composePorts({ SPMIGRATION_HOME: home });
  const secrets = new Secrets(ports.random);
  secrets.put('password', new SecretBytes(utf8(USER.password)));
  const report = { progress: () => undefined, verbose: () => undefined, warning: () => undefined };
  try {
    return await work({ ports, secrets, report, signal: new AbortController().signal });
  } finally {
    secrets.dispose();
  }
}
