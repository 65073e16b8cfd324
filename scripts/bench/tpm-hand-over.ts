/**
 * The hand-over of a Basic User Key from one TPM to another, under the product's policy: by this product's client and by
 * tpm2-tools, in turn, on swtpm. Both do the same from the policy session to the key that is loaded at the destination;
 * the key is loaded at the source before. Of the tools only what they need is counted: not the processes that take their
 * objects out again, which a resource manager would do. Leaves out storage keys of other kinds, and real chips.
 */
import { equal, toHex } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import type { KeyBlob } from '../../core/src/domain/environment.ts';
import type { Chip, DuplicationRequest, PolicyStep } from '../../core/src/ports/chip.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { bukBranches, bukPolicy } from '../../core/src/tpm2/policy.ts';
import { makeAuthority } from '../../test/testkit/chain.ts';
import { random, recording, Swtpm, type Exchange } from '../../test/testkit/swtpm.ts';
import { duplicateByTools } from '../../test/testkit/tool-hand-over.ts';
import { ToolTpm } from '../../test/testkit/tpm-tools.ts';
import { countRow, fasterRow, median, type Row, type Timing } from './harness.ts';

export type StorageKeyType = 'ECC' | 'RSA';

const ROUNDS = 9;
const DELEGATIONS = [0, 1, 2] as const;
/** What the issue of the TPM chip allows. */
const mostCommands = (delegations: number): number => 12 + 4 * delegations;

const nonce = random(16);
const auth = new SecretBytes(new Uint8Array(32).fill(0x41));
const innerKey = new SecretBytes(random(16));
const [root, second, third] = [makeAuthority(), makeAuthority(), makeAuthority()];
const policy = bukPolicy(root.name, nonce);
const branches = bukBranches(root.name, nonce);

/** The chain of a move to `newParent` (TPMT_PUBLIC) with that many delegations. */
function chainTo(newParent: Uint8Array, delegations: number): readonly PolicyStep[] {
  const name = nameOf(newParent);
  if (delegations === 0) return [root.grant(name)];
  if (delegations === 1) return [second.moveOne(nonce, name), root.delegate(nonce, second)];
  return [third.moveOne(nonce, name), second.delegate(nonce, third), root.delegate(nonce, second)];
}

/** One hand-over, timed. */
interface Client {
  handOver(delegations: number): Promise<number> | number;
  stop(): Promise<void> | void;
}

export async function handOverRows(type: StorageKeyType): Promise<readonly Row[]> {
  const clients: (OwnClient | ToolClient)[] = [];
  try {
    const own = await OwnClient.start(type);
    clients.push(own);
    const tools = await ToolClient.start(type);
    clients.push(tools);
    const rows: Row[] = [];
    const counts: number[] = [];
    let atDestination = 0;
    for (const delegations of DELEGATIONS) {
      const [ours, theirs] = await inTurn(own, tools, delegations);
      const what = `hand-over on TPMs, ${type} storage keys, delegations: ${delegations}`;
      rows.push(fasterRow(what, ours, theirs, 'tpm2-tools', 30));
      counts.push(own.atSource.length);
      atDestination = own.atDestination.length;
    }
    const note = `and ${atDestination} at the destination, opening and closing included`;
    const what = `… commands, delegations: ${DELEGATIONS.join(', ')}`;
    rows.push(countRow(what, counts, 'commands', DELEGATIONS.map(mostCommands), note));
    return rows;
  } finally {
    for (const client of clients) await client.stop();
  }
}

/** After one unmeasured round. Each tells its time itself, as what prepares and follows a hand-over does not count. */
async function inTurn(own: Client, tools: Client, delegations: number): Promise<readonly [Timing, Timing]> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = -1; round < ROUNDS; round++) {
    const times = [await own.handOver(delegations), await tools.handOver(delegations)] as const;
    if (round < 0) continue;
    ours.push(times[0]);
    theirs.push(times[1]);
  }
  return [timingOf(ours), timingOf(theirs)];
}

function timingOf(times: readonly number[]): Timing {
  return { median: median(times), best: Math.min(...times) };
}

class OwnClient implements Client {
  /** The commands of the last hand-over. */
  readonly atSource: Exchange[] = [];
  readonly atDestination: Exchange[] = [];
  readonly #tpms: readonly [Swtpm, Swtpm];
  readonly #source: Chip;
  readonly #destination: Chip;
  #newParent: Uint8Array = new Uint8Array();
  #key: KeyBlob = { public: new Uint8Array(), private: new Uint8Array() };

  private constructor(tpms: readonly [Swtpm, Swtpm]) {
    const [source, destination] = tpms;
    this.#tpms = tpms;
    this.#source = source.chip({ open: recording(source.open, this.atSource) });
    this.#destination = destination.chip({ open: recording(destination.open, this.atDestination) });
  }

  static async start(type: StorageKeyType): Promise<OwnClient> {
    const client = new OwnClient([await Swtpm.start(), await Swtpm.start()]);
    for (const tpm of client.#tpms) await tpm.makeStorageKey(type);
    await client.#source.provision();
    client.#newParent = await client.#destination.provision();
    client.#key = await client.#source.createBasicUserKey(policy, auth);
    return client;
  }

  async handOver(delegations: number): Promise<number> {
    const request: DuplicationRequest = {
      newParent: this.#newParent,
      steps: chainTo(this.#newParent, delegations),
      branches,
      innerKey,
    };
    const loaded = await this.#source.loadBasicUserKey(this.#key, auth);
    try {
      this.atSource.length = 0;
      this.atDestination.length = 0;
      const began = performance.now();
      const handedOver = await loaded.duplicate(request);
      await this.#destination.importBasicUserKey(this.#key.public, handedOver, innerKey);
      return performance.now() - began;
    } finally {
      // What is taken out now belongs to the loading.
      const count = this.atSource.length;
      await loaded.dispose();
      this.atSource.length = count;
    }
  }

  async stop(): Promise<void> {
    for (const tpm of this.#tpms) await tpm.stop();
  }
}

class ToolClient implements Client {
  readonly #source: ToolTpm;
  readonly #destination: ToolTpm;
  readonly #newParent: Uint8Array;
  readonly #publicArea: Uint8Array;

  private constructor(source: ToolTpm, destination: ToolTpm) {
    this.#source = source;
    this.#destination = destination;
    this.#newParent = destination.getSized('storage.pub');
    this.#publicArea = source.getSized('key.pub');
    destination.putSized('key.pub', this.#publicArea);
    destination.put('inner', innerKey.reveal);
  }

  static async start(type: StorageKeyType): Promise<ToolClient> {
    const [source, destination] = [await ToolTpm.start(), await ToolTpm.start()];
    const algorithm = type === 'ECC' ? 'ecc' : 'rsa2048';
    const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt';
    for (const tpm of [source, destination]) {
      const kind = ['-G', `${algorithm}:null:aes128cfb`, '-a', attributes];
      tpm.must('tpm2_createprimary', '-C', 'o', ...kind, '-c', 'storage');
      tpm.must('tpm2_readpublic', '-c', 'storage', '-o', 'storage.pub');
    }
    source.put('policy', policy);
    source.must(
      'tpm2_create',
      ...['-C', 'storage', '-G', 'ecc:null:aes128cfb', '-L', 'policy', '-p', `hex:${toHex(auth.reveal)}`],
      ...['-a', 'restricted|decrypt|userwithauth|sensitivedataorigin|encryptedduplication'],
      ...['-u', 'key.pub', '-r', 'key.private', '-c', 'key'],
    );
    return new ToolClient(source, destination);
  }

  handOver(delegations: number): number {
    const newParent = this.#newParent;
    const request = { newParent, steps: chainTo(newParent, delegations), branches, innerKey };
    const key = { key: 'key', publicArea: this.#publicArea, authValue: auth };
    let milliseconds = duplicateByTools(this.#source, { ...request, ...key });
    const target = this.#destination;
    for (const file of ['key.duplicate', 'key.seed']) target.put(file, this.#source.get(file));
    const taken = [
      '-u',
      'key.pub',
      '-i',
      'key.duplicate',
      '-s',
      'key.seed',
      '-k',
      'inner',
      '-r',
      'key.private',
    ];
    milliseconds += target.must('tpm2_import', '-C', 'storage', ...taken);
    const loaded = ['-u', 'key.pub', '-r', 'key.private', '-c', 'key', '-n', 'key.name'];
    milliseconds += target.must('tpm2_load', '-C', 'storage', ...loaded);
    if (!equal(target.get('key.name'), nameOf(this.#publicArea)))
      throw new Error('tpm2-tools loaded another key than was handed over');
    return milliseconds;
  }

  stop(): void {
    this.#source.stop();
    this.#destination.stop();
  }
}
