/**
 * tpm2-tools as a witness of the TPM 2.0 chip: both speak to the same two TPMs, and what the one makes, hands over or seals
 * the other takes, loads and opens.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { toHex } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { openSocket } from '../../core/src/adapters/chip-tpm2/transport/socket.ts';
import { createTpm2Chip } from '../../core/src/adapters/chip-tpm2/tpm2-chip.ts';
import type { Chip } from '../../core/src/ports/chip.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { bukBranches, bukPolicy } from '../../core/src/tpm2/policy.ts';
import { isBasicUserKey, isVaultKey } from '../../core/src/tpm2/templates.ts';
import { makeAuthority } from '../testkit/chain.ts';
import { random } from '../testkit/swtpm.ts';
import { duplicateByTools } from '../testkit/tool-hand-over.ts';
import { hasTpmTools, ToolTpm } from '../testkit/tpm-tools.ts';

const auth = new SecretBytes(new Uint8Array(32).fill(0x41));
const vaultAuth = new SecretBytes(new Uint8Array(32).fill(0x56));
const vaultKey = new SecretBytes(random(32));
const innerKey = new SecretBytes(random(16));
const nonce = random(16);
const hexAuth = (secret: SecretBytes): string => `hex:${toHex(secret.reveal)}`;
const storageKey = '0x81000001';

function chipOn({ port }: ToolTpm): Chip {
  return createTpm2Chip({
    find: () => () => openSocket({ host: '127.0.0.1', port }),
    random,
    delay,
    platformPath: '/platform',
  });
}

describe.skipIf(!hasTpmTools()).each(['ecc', 'rsa2048'])(
  'tpm2-tools and the chip, %s storage keys',
  (type) => {
    const authority = makeAuthority();
    const policy = bukPolicy(authority.name, nonce);
    const branches = bukBranches(authority.name, nonce);
    let here: ToolTpm;
    let there: ToolTpm;

    beforeAll(async () => {
      [here, there] = await Promise.all([ToolTpm.start(), ToolTpm.start()]);
      for (const tpm of [here, there]) {
        const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt';
        tpm.must(
          'tpm2_createprimary',
          '-C',
          'o',
          '-G',
          `${type}:null:aes128cfb`,
          '-a',
          attributes,
          '-c',
          'srk',
        );
        tpm.must('tpm2_evictcontrol', '-C', 'o', '-c', 'srk', storageKey);
      }
    });
    afterAll(() => {
      here.stop();
      there.stop();
    });

    it('agree about the storage key', async () => {
      here.must('tpm2_readpublic', '-c', storageKey, '-o', 'srk.pub', '-n', 'srk.name');
      const chip = chipOn(here);
      expect(toHex(await chip.provision())).toBe(toHex(here.getSized('srk.pub')));
      expect(toHex(nameOf(await chip.storageKey()))).toBe(toHex(here.get('srk.name')));
    });

    it('the tools take on another TPM what the chip hands over, and open what it sealed', async () => {
      const chip = chipOn(here);
      const newParent = await chipOn(there).storageKey();
      const buk = await chip.createBasicUserKey(policy, auth);
      const loaded = await chip.loadBasicUserKey(buk, auth);
      const sealed = await loaded.sealVaultKey(vaultKey, vaultAuth);
      const steps = [authority.grant(nameOf(newParent))];
      const { duplicate, seed } = await loaded.duplicate({ newParent, steps, branches, innerKey });
      await loaded.dispose();

      there.putSized('buk.pub', buk.public);
      there.putSized('buk.duplicate', duplicate);
      there.putSized('buk.seed', seed);
      there.put('inner', innerKey.reveal);
      const handedOver = ['-u', 'buk.pub', '-i', 'buk.duplicate', '-s', 'buk.seed', '-k', 'inner'];
      there.must('tpm2_import', '-C', storageKey, ...handedOver, '-r', 'buk.private');
      there.must(
        'tpm2_load',
        '-C',
        storageKey,
        '-u',
        'buk.pub',
        '-r',
        'buk.private',
        '-c',
        'buk',
        '-n',
        'name',
      );
      expect(toHex(there.get('name'))).toBe(toHex(nameOf(buk.public)));
      there.putSized('vault.pub', sealed.public);
      there.putSized('vault.private', sealed.private);
      const below = ['-C', 'buk', '-u', 'vault.pub', '-r', 'vault.private', '-c', 'vault'];
      there.must('tpm2_load', '-P', hexAuth(auth), ...below);
      there.must('tpm2_unseal', '-c', 'vault', '-p', hexAuth(vaultAuth), '-o', 'vault.data');
      expect(toHex(there.get('vault.data'))).toBe(toHex(vaultKey.reveal));
    });

    it('the chip takes on another TPM what the tools made, sealed and handed over', async () => {
      here.put('policy', policy);
      here.must(
        'tpm2_create',
        ...['-C', storageKey, '-G', 'ecc:null:aes128cfb', '-L', 'policy', '-p', hexAuth(auth)],
        ...['-a', 'restricted|decrypt|userwithauth|sensitivedataorigin|encryptedduplication'],
        ...['-u', 'own.pub', '-r', 'own.private', '-c', 'own'],
      );
      const buk = { public: here.getSized('own.pub'), private: here.getSized('own.private') };
      expect(isBasicUserKey(buk.public, policy)).toBe(true);
      here.put('vault.data', vaultKey.reveal);
      here.must(
        'tpm2_create',
        ...['-C', 'own', '-P', hexAuth(auth), '-i', 'vault.data', '-p', hexAuth(vaultAuth)],
        ...[
          '-a',
          'fixedparent|userwithauth|encryptedduplication',
          '-u',
          'sealed.pub',
          '-r',
          'sealed.private',
        ],
      );
      const sealed = { public: here.getSized('sealed.pub'), private: here.getSized('sealed.private') };
      expect(isVaultKey(sealed.public)).toBe(true);
      const newParent = await chipOn(there).storageKey();
      const steps = [authority.grant(nameOf(newParent))];
      const request = { newParent, steps, branches, innerKey };
      duplicateByTools(here, { ...request, key: 'own', publicArea: buk.public, authValue: auth });

      const chip = chipOn(there);
      const handedOver = { duplicate: here.getSized('own.duplicate'), seed: here.getSized('own.seed') };
      const arrived = await chip.importBasicUserKey(buk.public, handedOver, innerKey);
      const loaded = await chip.loadBasicUserKey(arrived, auth);
      using opened = await loaded.openVaultKey(sealed, vaultAuth);
      expect(toHex(opened.reveal)).toBe(toHex(vaultKey.reveal));
      await loaded.dispose();
      await expect(
        chip.importBasicUserKey(buk.public, handedOver, new SecretBytes(random(16))),
      ).rejects.toMatchObject({ code: 'PasswordRejected' });
    });

    it('the chip uses a key that the tools made in its own TPM, and the tools one of the chip', async () => {
      const chip = chipOn(here);
      const buk = { public: here.getSized('own.pub'), private: here.getSized('own.private') };
      const loaded = await chip.loadBasicUserKey(buk, auth);
      const sealed = await loaded.sealVaultKey(vaultKey, vaultAuth);
      await loaded.dispose();
      here.putSized('by-chip.pub', sealed.public);
      here.putSized('by-chip.private', sealed.private);
      const below = ['-C', 'own', '-u', 'by-chip.pub', '-r', 'by-chip.private', '-c', 'by-chip'];
      here.must('tpm2_load', '-P', hexAuth(auth), ...below);
      here.must('tpm2_unseal', '-c', 'by-chip', '-p', hexAuth(vaultAuth), '-o', 'unsealed');
      expect(toHex(here.get('unsealed'))).toBe(toHex(vaultKey.reveal));
    });
  },
);
