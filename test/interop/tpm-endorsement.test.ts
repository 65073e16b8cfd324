/**
 * The endorsement key and credentials, with tpm2-tools as a witness: the key is the one that the tools make from the TCG's
 * template, its certificate comes from the NV index of its kind, and a credential that the tools made opens on this TPM and
 * for its storage key only.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { toHex } from '../../core/src/bytes/bytes.ts';
import { ByteReader } from '../../core/src/bytes/reader.ts';
import { openSocket } from '../../core/src/adapters/chip-tpm2/transport/socket.ts';
import { createTpm2Chip } from '../../core/src/adapters/chip-tpm2/tpm2-chip.ts';
import type { Chip, Credential } from '../../core/src/ports/chip.ts';
import { CC } from '../../core/src/tpm2/constants.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { random, recording, type Exchange } from '../testkit/swtpm.ts';
import { hasTpmTools, ToolTpm } from '../testkit/tpm-tools.ts';

const indices = { ecc: '0x01c0000a', rsa: '0x01c00002' } as const;
/** Looks like a certificate as far as the chip looks: a SEQUENCE of this length. Longer than one read. */
const certificate = Uint8Array.of(0x30, 0x82, 0x03, 0x00, ...random(0x300));

function flipped(original: Uint8Array, index: number): Uint8Array {
  const copy = new Uint8Array(original);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

describe.skipIf(!hasTpmTools())('an endorsement key', () => {
  let tpm: ToolTpm;
  let chip: Chip;
  let bus: Exchange[];

  beforeEach(async () => {
    tpm = await ToolTpm.start();
    bus = [];
    const { port } = tpm;
    const open = recording(() => openSocket({ host: '127.0.0.1', port }), bus);
    chip = createTpm2Chip({ find: () => open, random, delay, platformPath: '/platform' });
    await chip.provision();
  });
  afterEach(() => {
    expect(tpm.run('tpm2_getcap', 'handles-transient').stdout).toBe('');
    expect(tpm.run('tpm2_getcap', 'handles-loaded-session').stdout).toBe('');
    tpm.stop();
  });

  /** Puts a certificate into the TPM, as its manufacturer does, with `padding` bytes that are none of it. */
  function certify(type: keyof typeof indices, padding = 0): void {
    const attributes = 'ppwrite|ppread|ownerread|authread|no_da|platformcreate';
    const size = String(certificate.length + padding);
    tpm.must('tpm2_nvdefine', indices[type], '-C', 'p', '-s', size, '-a', attributes);
    tpm.put('certificate', new Uint8Array([...certificate, ...new Uint8Array(padding).fill(0xff)]));
    tpm.must('tpm2_nvwrite', indices[type], '-C', 'p', '-i', 'certificate');
  }

  /** A credential for the endorsement key and a Name, made by the tools. */
  function makeCredential(key: Uint8Array, name: Uint8Array, secret: Uint8Array): Credential {
    tpm.putSized('ek.pub', key);
    tpm.put('secret', secret);
    tpm.must(
      'tpm2_makecredential',
      ...['-T', 'none', '-u', 'ek.pub', '-s', 'secret', '-n', toHex(name), '-o', 'credential'],
    );
    const reader = new ByteReader(tpm.get('credential'), (problem) => new Error(problem));
    expect([reader.u32(), reader.u32()]).toEqual([0xbadcc0de, 1]);
    const made = { credentialBlob: reader.sized16(1024), secret: reader.sized16(1024) };
    reader.end();
    return made;
  }

  it.each([
    ['ecc', undefined],
    ['ecc', 'ecc'],
    ['rsa', 'rsa'],
  ] as const)('is the %s one, with the certificate of %s', async (type, certified) => {
    if (certified !== undefined) certify(certified, 20);
    tpm.must('tpm2_createek', '-c', 'ek', '-G', type, '-u', 'ek.tpm2b');
    const endorsement = await chip.endorsement();
    expect(toHex(endorsement.key)).toBe(toHex(tpm.getSized('ek.tpm2b')));
    const expected = certified === undefined ? undefined : toHex(certificate);
    expect(endorsement.certificate && toHex(endorsement.certificate)).toBe(expected);
  });

  it('has no certificate where the index holds something else', async () => {
    tpm.must(
      'tpm2_nvdefine',
      indices.ecc,
      '-C',
      'p',
      '-s',
      '20',
      '-a',
      'ppwrite|ppread|authread|no_da|platformcreate',
    );
    expect((await chip.endorsement()).certificate).toBeUndefined();
    tpm.put('zeros', new Uint8Array(20));
    tpm.must('tpm2_nvwrite', indices.ecc, '-C', 'p', '-i', 'zeros');
    expect((await chip.endorsement()).certificate).toBeUndefined();
  });

  it('is asked for in sessions that only the TPM with the storage key can answer in', async () => {
    bus.length = 0;
    await chip.endorsement();
    const started = bus
      .map(({ command }) => new DataView(command.buffer, command.byteOffset))
      .filter((command) => command.getUint32(6) === CC.StartAuthSession)
      .map((command) => command.getUint32(10));
    expect(started).toEqual([0x81000001]);
  });

  it("is not another one, nor costs anybody's tries, for an index that somebody planted", async () => {
    certify('rsa');
    const { key } = await chip.endorsement();
    const failures = (): string =>
      /LOCKOUT_COUNTER: (\S+)/.exec(tpm.run('tpm2_getcap', 'properties-variable').stdout)?.[1] ?? 'none';
    const before = failures();
    for (const attributes of [
      'authread|authwrite',
      'ownerread|ownerwrite|no_da',
      'authread|authwrite|no_da',
    ]) {
      tpm.must('tpm2_nvdefine', indices.ecc, '-C', 'o', '-s', '32', '-p', 'planted', '-a', attributes);
      const endorsement = await chip.endorsement();
      expect(toHex(endorsement.key), attributes).toBe(toHex(key));
      expect(endorsement.certificate && toHex(endorsement.certificate)).toBe(toHex(certificate));
      tpm.must('tpm2_nvundefine', indices.ecc, '-C', 'o');
    }
    expect(failures()).toBe(before);
  });

  it.each(['ecc', 'rsa'] as const)('opens a credential for its %s key and storage key', async (type) => {
    if (type === 'rsa') certify('rsa');
    const { key } = await chip.endorsement();
    const storageKey = nameOf(await chip.storageKey());
    const secret = random(32);
    const credential = makeCredential(key, storageKey, secret);
    bus.length = 0;
    using opened = await chip.activateCredential(credential);
    expect(toHex(opened.reveal)).toBe(toHex(secret));
    const crossed = Buffer.concat(bus.flatMap(({ command, response }) => [command, response]));
    expect(crossed.includes(secret)).toBe(false);
    expect(crossed.includes(credential.credentialBlob)).toBe(true);
  });

  it('opens none for another Name or key, and none that was changed', async () => {
    const { key } = await chip.endorsement();
    const storageKey = nameOf(await chip.storageKey());
    const secret = random(32);
    const good = makeCredential(key, storageKey, secret);
    const stranger = await ToolTpm.start();
    try {
      stranger.must('tpm2_createek', '-c', 'ek', '-G', 'ecc', '-u', 'ek.tpm2b');
      const refused: readonly (readonly [string, Credential])[] = [
        ['another Name', makeCredential(key, flipped(storageKey, 10), secret)],
        ['another TPM', makeCredential(stranger.getSized('ek.tpm2b'), storageKey, secret)],
        ['changed integrity', { ...good, credentialBlob: flipped(good.credentialBlob, 5) }],
        ['changed content', { ...good, credentialBlob: flipped(good.credentialBlob, 40) }],
        ['changed point', { ...good, secret: flipped(good.secret, 30) }],
        ['empty', { credentialBlob: new Uint8Array(), secret: new Uint8Array() }],
      ];
      for (const [what, credential] of refused) {
        await expect(chip.activateCredential(credential), what).rejects.toMatchObject({
          code: 'CredentialNotForThisChip',
        });
      }
    } finally {
      stranger.stop();
    }
    using opened = await chip.activateCredential(good);
    expect(toHex(opened.reveal)).toBe(toHex(secret));
  });

  it('needs the password of the endorsement hierarchy where there is one', async () => {
    tpm.must('tpm2_changeauth', '-c', 'endorsement', 'a password');
    const refusal = { code: 'ChipFailed', message: /endorsement hierarchy has a password/ };
    const message = expect.stringMatching(refusal.message) as string;
    await expect(chip.endorsement()).rejects.toMatchObject({ ...refusal, message });
    const nothing = { credentialBlob: new Uint8Array(50), secret: new Uint8Array(68) };
    await expect(chip.activateCredential(nothing)).rejects.toMatchObject({ ...refusal, message });
  });
});
