/**
 * Simulated TPMs for this product's own client: each a swtpm of its own on a Unix socket, with its state in a folder of its
 * own, ended by its own process handle. Also a transport that writes down everything that crosses the bus.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { plain } from '../../core/src/bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../../core/src/bytes/reader.ts';
import { openSocket } from '../../core/src/adapters/chip-tpm2/transport/socket.ts';
import type { OpenTransport, Transport } from '../../core/src/adapters/chip-tpm2/transport/transport.ts';
import { createTpm2Chip } from '../../core/src/adapters/chip-tpm2/tpm2-chip.ts';
import { Connection } from '../../core/src/adapters/chip-tpm2/connection.ts';
import { storageKeyHandle } from '../../core/src/adapters/chip-tpm2/shared-tpm.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { encodeCommand, type Command } from '../../core/src/tpm2/command.ts';
import {
  TPM2_CreatePrimary,
  TPM2_EvictControl,
  TPM2_LoadExternal,
  TPM2_ReadPublic,
} from '../../core/src/tpm2/commands/object.ts';
import { TPM2_StartAuthSession } from '../../core/src/tpm2/commands/session.ts';
import { OBJECT, RH } from '../../core/src/tpm2/constants.ts';
import { encodePublic } from '../../core/src/tpm2/structures.ts';
import { storageKeyTemplate } from '../../core/src/tpm2/templates.ts';
import { Tpm2Error } from '../../core/src/tpm2/response-code.ts';
import type { Chip } from '../../core/src/ports/chip.ts';
import { meets } from './requirement.ts';

/** Whether swtpm is here; an error where SPMIGRATION_REQUIRE lists `tpm` and it is not. */
export function hasSwtpm(): boolean {
  return meets('tpm', spawnSync('swtpm', ['--version'], { stdio: 'ignore' }).error === undefined);
}

/** The TCG's RSA-2048 storage key, with an empty unique part as tpm2_createprimary has it. */
const rsaStorageKeyTemplate = encodePublic({
  type: 'RSA',
  objectAttributes:
    OBJECT.fixedTPM |
    OBJECT.fixedParent |
    OBJECT.sensitiveDataOrigin |
    OBJECT.userWithAuth |
    OBJECT.noDA |
    OBJECT.restricted |
    OBJECT.decrypt,
  authPolicy: new Uint8Array(),
  symmetric: 'AES-128-CFB',
  exponent: 0,
  unique: new Uint8Array(),
});

export const random = (length: number): Uint8Array => plain(randomBytes(length));

/** Where swtpm keeps what is permanent; written at every change. */
const stateFile = 'tpm2-00.permall';

/** TPM2_RH_LOCKOUT and TPM2_RH_PLATFORM. */
const lockoutHandle = 0x4000000a;
const platformHandle = 0x4000000c;

/** One simulated TPM. */
export class Swtpm {
  readonly folder: string;
  #process: ChildProcess;

  private constructor(folder: string, process: ChildProcess) {
    this.folder = folder;
    this.#process = process;
  }

  /** A new, empty TPM that forgives `tries` wrong authorizations. */
  static async start(tries = 1_000): Promise<Swtpm> {
    const folder = mkdtempSync(join(tmpdir(), 'spmigration-swtpm-'));
    const tpm = new Swtpm(folder, run(folder));
    await tpm.#answers();
    await tpm.setLockOut(tries, 1_000, 1_000);
    return tpm;
  }

  /** Another TPM with the same seeds, keys and counters, as it would be after a power loss now. */
  async copy(): Promise<Swtpm> {
    const folder = mkdtempSync(join(tmpdir(), 'spmigration-swtpm-'));
    copyFileSync(join(this.folder, stateFile), join(folder, stateFile));
    const tpm = new Swtpm(folder, run(folder));
    await tpm.#answers();
    return tpm;
  }

  get socket(): string {
    return socketIn(this.folder);
  }

  /** What SPMIGRATION_TPM takes. */
  get address(): string {
    return `unix:${this.socket}`;
  }

  readonly open: OpenTransport = () => openSocket({ path: this.socket });

  /** The chip of a platform on this TPM. */
  chip(options: { readonly recorded?: Uint8Array; readonly open?: OpenTransport } = {}): Chip {
    const { recorded, open = this.open } = options;
    return createTpm2Chip({ find: () => open, random, delay, recorded, platformPath: '/platform' });
  }

  /** TPM2_DictionaryAttackParameters with the (empty) lockout authorization. */
  async setLockOut(tries: number, intervalSeconds: number, recoverySeconds: number): Promise<void> {
    const parameters = new ByteWriter().u32(tries).u32(intervalSeconds).u32(recoverySeconds).done();
    await this.command(0x13a, [lockoutHandle], parameters);
  }

  /** TPM2_DictionaryAttackLockReset: no wrong authorization counts any more. */
  async forgiveTries(): Promise<void> {
    await this.command(0x139, [lockoutHandle], new Uint8Array());
  }

  /** Makes a storage key of this type before a platform does: most TPMs that are sold come with an RSA one. */
  async makeStorageKey(type: 'ECC' | 'RSA'): Promise<void> {
    await this.keepPrimary(type === 'ECC' ? storageKeyTemplate() : rsaStorageKeyTemplate);
  }

  /** Makes a primary object from any template and keeps it as the storage key. */
  async keepPrimary(template: Uint8Array): Promise<void> {
    const connection = new Connection({ transport: await this.open(), random, delay });
    try {
      const session = await connection.run(TPM2_StartAuthSession('hmac', undefined, random(32)));
      const made = await connection.run(TPM2_CreatePrimary(RH.OWNER, template), { session });
      await connection.run(TPM2_EvictControl(made, storageKeyHandle), { session });
    } finally {
      await connection.close();
    }
  }

  /** TPM2_Clear: what a person does in the firmware settings. */
  async clear(): Promise<void> {
    await this.command(0x126, [platformHandle], new Uint8Array());
  }

  /** TPM2_HierarchyChangeAuth of one that has an empty authValue now. */
  async setHierarchyPassword(hierarchy: number, password: string): Promise<void> {
    await this.command(0x129, [hierarchy], new ByteWriter().sized16(Buffer.from(password)).done());
  }

  /** TPM2_HierarchyControl: switches a hierarchy off until the next reset. */
  async disable(hierarchy: number): Promise<void> {
    await this.command(0x121, [platformHandle], new ByteWriter().u32(hierarchy).u8(0).done());
  }

  /** A command of the tests' own, its first handle authorized with an empty password. Answers the parameters. */
  async command(code: number, handles: readonly number[], parameters: Uint8Array): Promise<Uint8Array> {
    const body = new ByteWriter();
    for (const handle of handles) body.u32(handle);
    // One authorization: TPM_RS_PW, no nonce, continueSession, no password.
    const area = new ByteWriter().u32(0x40000009).u16(0).u8(1).u16(0).done();
    if (handles.length > 0) body.sized32(area);
    const content = body.raw(parameters).done();
    const tag = handles.length > 0 ? 0x8002 : 0x8001;
    const bytes = new ByteWriter()
      .u16(tag)
      .u32(10 + content.length)
      .u32(code)
      .raw(content)
      .done();
    const transport = await this.open();
    try {
      const reader = new ByteReader(await transport.send(bytes, 10_000), (problem) => new Error(problem));
      reader.take(6);
      const responseCode = reader.u32();
      if (responseCode !== 0) throw new Tpm2Error('GetCapability', responseCode);
      return reader.rest();
    } finally {
      await transport.close();
    }
  }

  /** Handles of one kind that are loaded, e.g. 0x80000000 transient, 0x02000000 sessions. */
  async handles(first: number): Promise<readonly number[]> {
    const parameters = new ByteWriter().u32(1).u32(first).u32(64).done();
    const reader = new ByteReader(await this.command(0x17a, [], parameters), (problem) => new Error(problem));
    reader.take(5);
    return Array.from({ length: reader.u32() }, () => reader.u32());
  }

  /** Everything that a well-behaved program has taken out: transient objects and sessions. */
  async leftLoaded(): Promise<readonly number[]> {
    const kinds = [0x80000000, 0x02000000, 0x03000000];
    const handles: number[] = [];
    for (const first of kinds) handles.push(...(await this.handles(first)));
    return handles;
  }

  /** Power loss: the process is killed and started again on the same state. */
  async powerCycle(): Promise<void> {
    await this.#end();
    this.#process = run(this.folder);
    await this.#answers();
  }

  async stop(): Promise<void> {
    await this.#end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The same at once, for a process that is ending. */
  kill(): void {
    this.#process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    rmSync(this.socket, { force: true });
  }

  async #answers(): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      if (this.#process.exitCode !== null) throw new Error('swtpm ended');
      if (existsSync(this.socket)) {
        try {
          await this.handles(0x80000000);
          return;
        } catch {
          // Not listening yet.
        }
      }
      await delay(10);
    }
    throw new Error('swtpm did not start');
  }
}

function socketIn(folder: string): string {
  return join(folder, 'socket');
}

/** Ended with this process, where a test that failed early did not end them. */
const running = new Map<ChildProcess, string>();
function endAll(): void {
  for (const [child, folder] of running) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}
process.once('exit', endAll);
// Vitest ends its workers so.
process.once('SIGTERM', () => {
  endAll();
  process.exit();
});

function run(folder: string): ChildProcess {
  const child = spawn(
    'swtpm',
    [
      ...['socket', '--tpm2', '--tpmstate', `dir=${folder}`, '--flags', 'not-need-init,startup-clear'],
      // Without a control channel it would end with its first connection.
      ...[
        '--server',
        `type=unixio,path=${socketIn(folder)}`,
        '--ctrl',
        `type=unixio,path=${join(folder, 'control')}`,
      ],
    ],
    { stdio: 'ignore' },
  );
  running.set(child, folder);
  child.once('exit', () => running.delete(child));
  return child;
}

/** One command and its response as they crossed the bus. */
export interface Exchange {
  readonly command: Uint8Array;
  readonly response: Uint8Array;
}

/** The way to a TPM, with everything that goes over it written down. */
export function recording(open: OpenTransport, exchanges: Exchange[]): OpenTransport {
  return async () => {
    const transport = await open();
    const recorded: Transport = {
      name: transport.name,
      exclusive: transport.exclusive,
      send: async (command, timeoutMs) => {
        const sent = new Uint8Array(command);
        const response = await transport.send(command, timeoutMs);
        exchanges.push({ command: sent, response: new Uint8Array(response) });
        return response;
      },
      close: () => transport.close(),
    };
    return recorded;
  };
}

/** Uses a key whose authorization counts wrong tries: after a start a TPM asks for the first such use to be repeated. */
export async function useUserKey(tpm: Swtpm): Promise<void> {
  const [chip, auth] = [tpm.chip(), new SecretBytes(random(32))];
  const loaded = await chip.loadBasicUserKey(await chip.createBasicUserKey(random(32), auth), auth);
  await loaded.sealVaultKey(auth, auth);
  await loaded.dispose();
}

/** Loads objects until there is no slot left, as a program that was killed leaves them. */
export async function fillSlots(tpm: Swtpm): Promise<void> {
  const { publicArea } = await read(tpm, TPM2_ReadPublic(storageKeyHandle));
  await fill(tpm, () => TPM2_LoadExternal(publicArea));
}

/** Opens sessions until there is no slot left. */
export function fillSessions(tpm: Swtpm): Promise<void> {
  return fill(tpm, () => TPM2_StartAuthSession('hmac', undefined, random(32)));
}

async function read<Response>(tpm: Swtpm, command: Command<Response>): Promise<Response> {
  const transport = await tpm.open();
  try {
    const { bytes, receive } = encodeCommand(command, [], random);
    const { handle, reader } = receive(await transport.send(bytes, 10_000));
    return command.read(reader, handle);
  } finally {
    await transport.close();
  }
}

async function fill(tpm: Swtpm, command: () => Command<unknown>): Promise<void> {
  for (;;) {
    try {
      await read(tpm, command());
    } catch (error) {
      if (error instanceof Tpm2Error && error.reason.endsWith('_MEMORY')) return;
      throw error;
    }
  }
}
