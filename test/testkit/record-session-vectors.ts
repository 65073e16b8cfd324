/**
 * Makes `test/vectors/tpm2/sessions-by-tpm.json` anew: `node test/testkit/record-session-vectors.ts`. Talks to swtpm and
 * writes down what crossed the bus, with the salt and the nonces of this side, so that the same commands can be computed
 * again without a TPM. swtpm validated every command by answering it; its responses carry its own HMACs.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { toHex } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { Connection } from '../../core/src/adapters/chip-tpm2/connection.ts';
import { storageKeyHandle } from '../../core/src/adapters/chip-tpm2/shared-tpm.ts';
import { TPM2_Create, TPM2_Load, TPM2_ReadPublic, TPM2_Unseal } from '../../core/src/tpm2/commands/object.ts';
import { TPM2_StartAuthSession } from '../../core/src/tpm2/commands/session.ts';
import { OBJECT } from '../../core/src/tpm2/constants.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { shareSecret } from '../../core/src/tpm2/secret-sharing.ts';
import { encodePublic } from '../../core/src/tpm2/structures.ts';
import { storageKeyArea } from '../../core/src/tpm2/templates.ts';
import { random, recording, Swtpm, type Exchange } from './swtpm.ts';

/** An authValue that ends in zeros, which a TPM leaves out of its computations. */
const authValue = new Uint8Array(32).fill(0x41, 0, 30);
const sealed = new Uint8Array(32).fill(0x77);

/** Not a vault key: below a storage key, which has no encryptedDuplication, its children cannot have it either. */
const sealedTemplate = encodePublic({
  type: 'KEYEDHASH',
  objectAttributes: OBJECT.fixedTPM | OBJECT.fixedParent | OBJECT.userWithAuth,
  authPolicy: new Uint8Array(),
  unique: new Uint8Array(),
});

async function record(type: 'ECC' | 'RSA'): Promise<object> {
  const tpm = await Swtpm.start();
  const exchanges: Exchange[] = [];
  const nonces: string[] = [];
  const noted = (length: number): Uint8Array => {
    const nonce = random(length);
    nonces.push(toHex(nonce));
    return nonce;
  };
  try {
    await tpm.makeStorageKey(type);
    const transport = await recording(tpm.open, exchanges)();
    const connection = new Connection({ transport, random: noted, delay });
    const { publicArea } = await connection.run(TPM2_ReadPublic(storageKeyHandle));
    const area = storageKeyArea(publicArea);
    if (area === undefined) throw new Error('not a storage key');
    const key = { handle: storageKeyHandle, name: nameOf(publicArea) };
    const { secret, encrypted } = shareSecret(area, 'SECRET', random);
    const salt = { key, secret, encrypted };
    const session = await connection.run(TPM2_StartAuthSession('hmac', salt, noted(32)));
    const object = {
      template: sealedTemplate,
      authValue: SecretBytes.copyOf(authValue),
      data: SecretBytes.copyOf(sealed),
    };
    const created = await connection.run(TPM2_Create(key, object), { session });
    const item = await connection.run(TPM2_Load(key, created), { session });
    const opened = await connection.run(TPM2_Unseal(item), {
      session,
      authValue: SecretBytes.copyOf(authValue),
    });
    if (toHex(opened.reveal) !== toHex(sealed)) throw new Error('the TPM gave something else');
    const recorded = {
      storageKey: toHex(publicArea),
      salt: toHex(secret.reveal),
      encryptedSalt: toHex(encrypted),
      nonces,
      exchanges: exchanges
        .slice(1)
        .map(({ command, response }) => [toHex(command), toHex(response)])
        // TPM_RC_RETRY: the same command was sent again.
        .filter(([, response]) => response?.slice(12, 20) === '00000000'),
    };
    await connection.close();
    return recorded;
  } finally {
    await tpm.stop();
  }
}

const vectors = {
  comment:
    'Sessions with swtpm 0.7.1 (libtpms 0.9.2), salted to an ECC and to an RSA storage key at 0x81000001: StartAuthSession, Create of sealed data (encrypted parameter), Load, Unseal (encrypted response). nonces: of the caller, in their order. Each exchange: command, response. Hex.',
  authValue: toHex(authValue),
  sealed: toHex(sealed),
  ECC: await record('ECC'),
  RSA: await record('RSA'),
};
writeFileSync(
  new URL('../vectors/tpm2/sessions-by-tpm.json', import.meta.url),
  `${JSON.stringify(vectors, undefined, 2)}\n`,
);
