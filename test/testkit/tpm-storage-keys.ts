/** What else may lie where a TPM's storage key is looked for: keys of kinds, sizes and permissions that this product does not use. */
import { setTimeout as delay } from 'node:timers/promises';
import { ByteWriter } from '../../core/src/bytes/reader.ts';
import { Connection } from '../../core/src/adapters/chip-tpm2/connection.ts';
import { storageKeyHandle } from '../../core/src/adapters/chip-tpm2/shared-tpm.ts';
import { TPM2_CreatePrimary, TPM2_EvictControl } from '../../core/src/tpm2/commands/object.ts';
import { TPM2_StartAuthSession } from '../../core/src/tpm2/commands/session.ts';
import { ALG, ECC_NIST_P256, OBJECT, RH } from '../../core/src/tpm2/constants.ts';
import { random, type Swtpm } from './swtpm.ts';

const SHA384 = 0x000c;
const ECC_NIST_P384 = 0x0004;

interface Kind {
  readonly nameAlg?: number;
  readonly attributes?: number;
  readonly policy?: Uint8Array;
  readonly aesBits?: number | undefined;
  readonly scheme?: number;
  readonly curve?: number;
}

const own = OBJECT.fixedTPM | OBJECT.fixedParent | OBJECT.sensitiveDataOrigin | OBJECT.noDA;
const storage = own | OBJECT.userWithAuth | OBJECT.restricted | OBJECT.decrypt;

/** TPMT_PUBLIC of an ECC key, the product's own where nothing else is said. */
function template(kind: Kind): Uint8Array {
  const { nameAlg = ALG.SHA256, attributes = storage, policy = new Uint8Array() } = kind;
  const { scheme = ALG.NULL, curve = ECC_NIST_P256 } = kind;
  const aesBits = 'aesBits' in kind ? kind.aesBits : 128;
  const writer = new ByteWriter().u16(ALG.ECC).u16(nameAlg).u32(attributes).sized16(policy);
  if (aesBits === undefined) writer.u16(ALG.NULL);
  else writer.u16(ALG.AES).u16(aesBits).u16(ALG.CFB);
  writer.u16(scheme);
  if (scheme !== ALG.NULL) writer.u16(ALG.SHA256);
  return writer.u16(curve).u16(ALG.NULL).u16(0).u16(0).done();
}

interface Unsuitable {
  readonly template: Uint8Array;
  readonly password?: string;
  /** What the refusal says. */
  readonly problem: RegExp;
}

const anotherKind = /it is of a kind that this program does not use/;

export const unsuitableKeys = {
  'with SHA-384': { template: template({ nameAlg: SHA384 }), problem: anotherKind },
  'on the curve P-384': { template: template({ curve: ECC_NIST_P384 }), problem: anotherKind },
  'with AES-256 for what is below it': { template: template({ aesBits: 256 }), problem: anotherKind },
  'that signs': {
    template: template({
      attributes: own | OBJECT.userWithAuth | OBJECT.sign,
      scheme: ALG.ECDSA,
      aesBits: undefined,
    }),
    problem: anotherKind,
  },
  'that is not restricted': {
    template: template({ attributes: own | OBJECT.userWithAuth | OBJECT.decrypt, aesBits: undefined }),
    problem: anotherKind,
  },
  'that can be handed on': {
    template: template({ attributes: storage & ~OBJECT.fixedTPM & ~OBJECT.fixedParent }),
    problem: /not bound to this TPM \(it lacks fixedTPM\)/,
  },
  'with a password': { template: template({}), password: 'of somebody', problem: /its use needs a password/ },
  'with a password against guessing': {
    template: template({ attributes: storage & ~OBJECT.noDA }),
    password: 'of somebody',
    problem: /its use needs a password/,
  },
  'with a policy': {
    template: template({ attributes: storage & ~OBJECT.userWithAuth, policy: new Uint8Array(32).fill(1) }),
    problem: /its use needs a policy/,
  },
} as const satisfies Readonly<Record<string, Unsuitable>>;

/** Makes the key and keeps it where the storage key is looked for. */
export async function keepUnsuitable(
  tpm: Swtpm,
  { template: area, password = '' }: Unsuitable,
): Promise<void> {
  const connection = new Connection({ transport: await tpm.open(), random, delay });
  try {
    const session = await connection.run(TPM2_StartAuthSession('hmac', undefined, random(32)));
    const command = TPM2_CreatePrimary(RH.OWNER, area);
    const sensitive = new ByteWriter().sized16(Buffer.from(password)).u16(0).done();
    const rest = new ByteWriter().sized16(area).u16(0).u32(0).done();
    const parameters = new ByteWriter().sized16(sensitive).raw(rest).done();
    // Its Name may be of another hash, and longer than those that the product knows.
    const made = await connection.run({ ...command, parameters, read: readMade }, { session });
    await connection.run(TPM2_EvictControl(made, storageKeyHandle), { session });
  } finally {
    await connection.close();
  }
}

const readMade: ReturnType<typeof TPM2_CreatePrimary>['read'] = (reader, handle) => {
  const publicArea = reader.sized16(4096);
  reader.sized16(4096);
  reader.sized16(4096);
  reader.take(6);
  reader.sized16(4096);
  return { handle, publicArea, name: reader.sized16(4096) };
};

/** Takes the storage key out of a TPM that is not cleared: its seed stays. */
export async function takeStorageKeyOut(tpm: Swtpm): Promise<void> {
  const parameters = new ByteWriter().u32(storageKeyHandle).done();
  await tpm.command(0x120, [RH.OWNER, storageKeyHandle], parameters);
}
