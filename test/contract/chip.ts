/**
 * The contract of the port `chip` (core/src/ports/chip.ts), run over every adapter: what goes in must come out, on the
 * same platform and after a hand-over to another, and everything else must be refused with the code of the catalogue.
 * A refusal is always one change from a case that is allowed.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { concat, toHex } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import type { KeyBlob } from '../../core/src/domain/environment.ts';
import type { Chip, Duplicate, DuplicationRequest, PolicyStep } from '../../core/src/ports/chip.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { bukBranches, bukPolicy, REF_ANY, refOne } from '../../core/src/tpm2/policy.ts';
import { isBasicUserKey, isStorageKey, isVaultKey } from '../../core/src/tpm2/templates.ts';
import { makeAuthority } from '../testkit/chain.ts';

/** One platform's chip, not provisioned, and how to end it. */
export interface ChipUnderTest {
  readonly chip: Chip;
  /** The same platform, as another process would open it. */
  reopen(): Chip;
  close(): Promise<void>;
}

const auth = secretOf(0x41);
const vaultAuth = secretOf(0x56);
const vaultKey = secretOf(0x77);
const innerKey = secretOf(0x49, 16);
const nonce = new Uint8Array(16).fill(0x4e);

function secretOf(byte: number, length = 32): SecretBytes {
  return new SecretBytes(new Uint8Array(length).fill(byte));
}

/** `original` with one bit of byte `index` (from the end where negative) turned over. */
function flipped(original: Uint8Array, index: number): Uint8Array {
  const copy = new Uint8Array(original);
  const at = index < 0 ? copy.length + index : index;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** Runs the contract; `open` answers a new platform at every call. */
export function describeChip(name: string, open: () => Promise<ChipUnderTest>): void {
  describe(`chip contract: ${name}`, () => {
    const authority = makeAuthority();
    const policy = bukPolicy(authority.name, nonce);
    const branches = bukBranches(authority.name, nonce);
    let source: ChipUnderTest;
    let destination: ChipUnderTest;
    let newParent: Uint8Array;
    let buk: KeyBlob;

    beforeEach(async () => {
      source = await open();
      destination = await open();
      await source.chip.provision();
      newParent = await destination.chip.provision();
      buk = await source.chip.createBasicUserKey(policy, auth);
    });
    afterEach(async () => {
      await source.close();
      await destination.close();
    });

    const requestFor = (steps: readonly PolicyStep[]): DuplicationRequest => ({
      newParent,
      steps,
      branches,
      innerKey,
    });

    async function handOver(
      request: DuplicationRequest,
      { chip = source.chip, key = buk, authValue = auth } = {},
    ): Promise<Duplicate> {
      const loaded = await chip.loadBasicUserKey(key, authValue);
      try {
        return await loaded.duplicate(request);
      } finally {
        await loaded.dispose();
      }
    }

    async function seal(chip: Chip, key: KeyBlob, authValue = auth): Promise<KeyBlob> {
      const loaded = await chip.loadBasicUserKey(key, authValue);
      try {
        return await loaded.sealVaultKey(vaultKey, vaultAuth);
      } finally {
        await loaded.dispose();
      }
    }

    async function unseal(
      chip: Chip,
      key: KeyBlob,
      sealed: KeyBlob,
      { authValue = auth, sealedAuth = vaultAuth } = {},
    ): Promise<string> {
      const loaded = await chip.loadBasicUserKey(key, authValue);
      try {
        using opened = await loaded.openVaultKey(sealed, sealedAuth);
        return toHex(opened.reveal);
      } finally {
        await loaded.dispose();
      }
    }

    const expected = toHex(vaultKey.reveal);
    const grant = (): PolicyStep => authority.grant(nameOf(newParent));

    describe('the storage key', () => {
      test('is none before the chip is provisioned', async () => {
        const fresh = await open();
        try {
          await expect(fresh.chip.storageKey()).rejects.toMatchObject({ code: 'PlatformNotInitialized' });
        } finally {
          await fresh.close();
        }
      });

      test('is the same after another provisioning and in another process', async () => {
        const first = toHex(await source.chip.storageKey());
        expect(toHex(await source.chip.provision())).toBe(first);
        expect(toHex(await source.reopen().storageKey())).toBe(first);
        expect(isStorageKey(await source.chip.storageKey())).toBe(true);
      });

      test('is another on every platform', async () => {
        expect(toHex(await source.chip.storageKey())).not.toBe(toHex(newParent));
      });

      test('the chip describes itself', async () => {
        const description = await source.chip.describe();
        expect(['tpm2', 'software']).toContain(description.kind);
        expect(description.model).not.toBe('');
        expect(description.enforcement).not.toBe('');
      });
    });

    describe('keys on one platform', () => {
      test('have exactly the templates', async () => {
        expect(isBasicUserKey(buk.public, policy)).toBe(true);
        expect(isVaultKey((await seal(source.chip, buk)).public)).toBe(true);
      });

      test('a sealed vault key opens, also in another process', async () => {
        const sealed = await seal(source.chip, buk);
        expect(await unseal(source.chip, buk, sealed)).toBe(expected);
        expect(await unseal(source.reopen(), buk, sealed)).toBe(expected);
      });

      test('two keys of the same policy are different keys', async () => {
        const other = await source.chip.createBasicUserKey(policy, auth);
        expect(toHex(other.public)).not.toBe(toHex(buk.public));
        await expect(unseal(source.chip, other, await seal(source.chip, buk))).rejects.toMatchObject({
          code: 'ChipFailed',
        });
      });

      test('a wrong or empty authValue of the key is PasswordRejected at its first use', async () => {
        const sealed = await seal(source.chip, buk);
        for (const authValue of [secretOf(0x42), vaultAuth, new SecretBytes(new Uint8Array(0))]) {
          await expect(unseal(source.chip, buk, sealed, { authValue })).rejects.toMatchObject({
            code: 'PasswordRejected',
          });
        }
        await expect(seal(source.chip, buk, secretOf(0x42))).rejects.toMatchObject({
          code: 'PasswordRejected',
        });
        expect(await unseal(source.chip, buk, sealed)).toBe(expected);
      });

      test('a wrong authValue of the vault key is PasswordRejected', async () => {
        const sealed = await seal(source.chip, buk);
        await expect(unseal(source.chip, buk, sealed, { sealedAuth: auth })).rejects.toMatchObject({
          code: 'PasswordRejected',
        });
      });

      test('a blob of another platform, or a changed one, is StorageKeyChanged', async () => {
        await expect(destination.chip.loadBasicUserKey(buk, auth)).rejects.toMatchObject({
          code: 'StorageKeyChanged',
        });
        const changed = { ...buk, private: flipped(buk.private, -1) };
        await expect(source.chip.loadBasicUserKey(changed, auth)).rejects.toMatchObject({
          code: 'StorageKeyChanged',
        });
      });

      test('a changed vault key blob does not open', async () => {
        const sealed = await seal(source.chip, buk);
        for (const changed of [
          { ...sealed, private: flipped(sealed.private, -1) },
          { ...sealed, public: flipped(sealed.public, -1) },
        ]) {
          await expect(unseal(source.chip, buk, changed)).rejects.toMatchObject({ code: 'ChipFailed' });
        }
      });
    });

    describe('another authValue', () => {
      const newAuth = secretOf(0x6e);

      async function changed(chip: Chip, key: KeyBlob, from: SecretBytes, to: SecretBytes): Promise<KeyBlob> {
        const loaded = await chip.loadBasicUserKey(key, from);
        try {
          return await loaded.changeAuth(to);
        } finally {
          await loaded.dispose();
        }
      }

      test('is that of a new blob of the same key; the old blob keeps the old one', async () => {
        const sealed = await seal(source.chip, buk);
        const again = await changed(source.chip, buk, auth, newAuth);
        expect(toHex(again.public)).toBe(toHex(buk.public));
        for (const chip of [source.chip, source.reopen()]) {
          expect(await unseal(chip, again, sealed, { authValue: newAuth })).toBe(expected);
          expect(await unseal(chip, buk, sealed)).toBe(expected);
          for (const [key, authValue] of [
            [again, auth],
            [buk, newAuth],
          ] as const) {
            await expect(unseal(chip, key, sealed, { authValue })).rejects.toMatchObject({
              code: 'PasswordRejected',
            });
          }
        }
      });

      test('leaves what is below the key as it is: either blob opens what was sealed under the other', async () => {
        const again = await changed(source.chip, buk, auth, newAuth);
        const sealed = await seal(source.chip, again, newAuth);
        expect(await unseal(source.chip, buk, sealed)).toBe(expected);
        // The vault key's own authValue is not touched.
        await expect(
          unseal(source.chip, again, sealed, { authValue: newAuth, sealedAuth: newAuth }),
        ).rejects.toMatchObject({ code: 'PasswordRejected' });
      });

      test('is not set by who does not know the present one', async () => {
        for (const wrong of [newAuth, vaultAuth, new SecretBytes(new Uint8Array(0))]) {
          await expect(changed(source.chip, buk, wrong, newAuth)).rejects.toMatchObject({
            code: 'PasswordRejected',
          });
        }
      });

      test('does not change the key that is loaded, and can be set again and again', async () => {
        const sealed = await seal(source.chip, buk);
        const loaded = await source.chip.loadBasicUserKey(buk, auth);
        const first = await loaded.changeAuth(newAuth);
        using opened = await loaded.openVaultKey(sealed, vaultAuth);
        expect(toHex(opened.reveal)).toBe(expected);
        const other = await loaded.changeAuth(secretOf(0x6f));
        await loaded.dispose();
        const back = await changed(source.chip, first, newAuth, auth);
        expect(await unseal(source.chip, other, sealed, { authValue: secretOf(0x6f) })).toBe(expected);
        expect(await unseal(source.chip, back, sealed)).toBe(expected);
      });

      test('is what a hand-over of the new blob takes, under the same approval', async () => {
        const sealed = await seal(source.chip, buk);
        const again = await changed(source.chip, buk, auth, newAuth);
        const request = requestFor([grant()]);
        await expect(handOver(request, { key: again })).rejects.toMatchObject({ code: 'PasswordRejected' });
        const handedOver = await handOver(request, { key: again, authValue: newAuth });
        const arrived = await destination.chip.importBasicUserKey(buk.public, handedOver, innerKey);
        // A key travels with its authValue.
        expect(await unseal(destination.chip, arrived, sealed, { authValue: newAuth })).toBe(expected);
      });

      test('makes a blob for this chip only', async () => {
        const again = await changed(source.chip, buk, auth, newAuth);
        await expect(destination.chip.loadBasicUserKey(again, newAuth)).rejects.toMatchObject({
          code: 'StorageKeyChanged',
        });
      });
    });

    describe('hand-over', () => {
      test('the approved destination has the same key and opens what was sealed at the source', async () => {
        const sealed = await seal(source.chip, buk);
        const handedOver = await handOver(requestFor([grant()]));
        const arrived = await destination.chip.importBasicUserKey(buk.public, handedOver, innerKey);
        expect(toHex(arrived.public)).toBe(toHex(buk.public));
        expect(await unseal(destination.chip, arrived, sealed)).toBe(expected);
        expect(await unseal(source.chip, buk, await seal(destination.chip, arrived))).toBe(expected);
      });

      test('an approval that includes the object holds for this key and for no other', async () => {
        const bound = requestFor([authority.grant(nameOf(newParent), nameOf(buk.public))]);
        await expect(handOver(bound)).resolves.toBeDefined();
        const other = await source.chip.createBasicUserKey(policy, auth);
        await expect(handOver(bound, { key: other })).rejects.toMatchObject({
          code: 'DestinationNotAuthorized',
        });
      });

      test('one approval under refAny serves every key of the authority', async () => {
        const otherNonce = new Uint8Array(16).fill(0x4f);
        const key = await source.chip.createBasicUserKey(bukPolicy(authority.name, otherNonce), auth);
        const request = { ...requestFor([grant()]), branches: bukBranches(authority.name, otherNonce) };
        await expect(handOver(request, { key })).resolves.toBeDefined();
      });

      test('a delegate moves on the one key that was delegated', async () => {
        const delegate = makeAuthority();
        const steps = [delegate.moveOne(nonce, nameOf(newParent)), authority.delegate(nonce, delegate)];
        const sealed = await seal(source.chip, buk);
        const handedOver = await handOver(requestFor(steps));
        const arrived = await destination.chip.importBasicUserKey(buk.public, handedOver, innerKey);
        expect(await unseal(destination.chip, arrived, sealed)).toBe(expected);
      });

      test('without, or with another, user authorization it is PasswordRejected', async () => {
        for (const authValue of [secretOf(0x42), vaultAuth, new SecretBytes(new Uint8Array(0))]) {
          await expect(handOver(requestFor([grant()]), { authValue })).rejects.toMatchObject({
            code: 'PasswordRejected',
          });
        }
      });

      test('every chain that is not approved is DestinationNotAuthorized', async () => {
        const stranger = makeAuthority();
        const delegate = makeAuthority();
        const otherNonce = new Uint8Array(16);
        const third = nameOf(await source.chip.storageKey());
        const approved = grant();
        const refused: Readonly<Record<string, readonly PolicyStep[]>> = {
          'no approval': [],
          'approval by a stranger': [stranger.grant(nameOf(newParent))],
          "a stranger's signature under the authority": [
            { ...stranger.grant(nameOf(newParent)), authority: authority.public },
          ],
          'a changed signature': [{ ...approved, signature: flipped(approved.signature, 40) }],
          'approval for another destination': [authority.grant(third)],
          'an approval for another destination, relabelled': [
            { ...authority.grant(third), approvedPolicy: approved.approvedPolicy },
          ],
          'approval under another policyRef': [
            authority.approve(approved.approvedPolicy, refOne(otherNonce)),
          ],
          'an approval under refOne, relabelled as refAny': [
            { ...authority.moveOne(nonce, nameOf(newParent)), policyRef: REF_ANY },
          ],
          'a delegate without delegation': [delegate.moveOne(nonce, nameOf(newParent))],
          'a delegation without approval': [authority.delegate(nonce, delegate)],
          "a delegate's approval under refAny": [
            delegate.grant(nameOf(newParent)),
            authority.delegate(nonce, delegate),
          ],
          "another key's delegation": [
            delegate.moveOne(otherNonce, nameOf(newParent)),
            authority.delegate(otherNonce, delegate),
          ],
          'a delegation by a stranger': [
            delegate.moveOne(nonce, nameOf(newParent)),
            stranger.delegate(nonce, delegate),
          ],
          'steps in the wrong order': [
            authority.delegate(nonce, delegate),
            delegate.moveOne(nonce, nameOf(newParent)),
          ],
        };
        for (const [what, steps] of Object.entries(refused)) {
          await expect(handOver(requestFor(steps)), what).rejects.toMatchObject({
            code: 'DestinationNotAuthorized',
          });
        }
        await expect(handOver(requestFor([approved]))).resolves.toBeDefined();
      });

      test('branches that are not those of the key are DestinationNotAuthorized', async () => {
        const stranger = makeAuthority();
        const own = bukBranches(stranger.name, nonce);
        const [any, one] = branches;
        for (const changed of [own, [one, any], [any, own[1]], [any, any]] as const) {
          const request = { ...requestFor([grant()]), branches: changed };
          await expect(handOver(request)).rejects.toMatchObject({ code: 'DestinationNotAuthorized' });
        }
        const strangers = { ...requestFor([stranger.grant(nameOf(newParent))]), branches: own };
        await expect(handOver(strangers)).rejects.toMatchObject({ code: 'DestinationNotAuthorized' });
      });

      test('an approval for one destination does not move the key to another', async () => {
        const third = await open();
        try {
          const request = { ...requestFor([grant()]), newParent: await third.chip.provision() };
          await expect(handOver(request)).rejects.toMatchObject({ code: 'DestinationNotAuthorized' });
        } finally {
          await third.close();
        }
      });

      test('a third platform cannot take it, nor can it be taken after a change', async () => {
        const handedOver = await handOver(requestFor([grant()]));
        await expect(source.chip.importBasicUserKey(buk.public, handedOver, innerKey)).rejects.toMatchObject({
          code: 'ArchiveNotForThisPlatform',
        });
        const other = await source.chip.createBasicUserKey(policy, auth);
        const changes: readonly (readonly [string, Uint8Array, Duplicate])[] = [
          ['integrity', buk.public, { ...handedOver, duplicate: flipped(handedOver.duplicate, 2) }],
          ['ciphertext', buk.public, { ...handedOver, duplicate: flipped(handedOver.duplicate, -1) }],
          ['seed', buk.public, { ...handedOver, seed: flipped(handedOver.seed, -1) }],
          ['cut seed', buk.public, { ...handedOver, seed: handedOver.seed.subarray(1) }],
          ['empty seed', buk.public, { ...handedOver, seed: new Uint8Array(0) }],
          [
            'longer',
            buk.public,
            { ...handedOver, duplicate: concat(handedOver.duplicate, Uint8Array.of(0)) },
          ],
          ['empty', buk.public, { ...handedOver, duplicate: new Uint8Array(0) }],
          ['public area', other.public, handedOver],
        ];
        for (const [what, publicArea, changed] of changes) {
          await expect(
            destination.chip.importBasicUserKey(publicArea, changed, innerKey),
            what,
          ).rejects.toMatchObject({ code: 'ArchiveNotForThisPlatform' });
        }
        await expect(
          destination.chip.importBasicUserKey(buk.public, handedOver, innerKey),
        ).resolves.toBeDefined();
      });

      test('another inner key is PasswordRejected: the destination alone opens nothing', async () => {
        const handedOver = await handOver(requestFor([grant()]));
        for (const wrong of [secretOf(0x4a, 16), secretOf(0, 16)]) {
          await expect(
            destination.chip.importBasicUserKey(buk.public, handedOver, wrong),
          ).rejects.toMatchObject({ code: 'PasswordRejected' });
        }
      });

      test('the key goes on and back: every hop under its own approval and inner key', async () => {
        const sealed = await seal(source.chip, buk);
        const there = await handOver(requestFor([grant()]));
        const arrived = await destination.chip.importBasicUserKey(buk.public, there, innerKey);
        const home = await source.chip.storageKey();
        const secondInner = secretOf(0x4b, 16);
        const back = await handOver(
          { newParent: home, steps: [authority.grant(nameOf(home))], branches, innerKey: secondInner },
          { chip: destination.chip, key: arrived },
        );
        const returned = await source.chip.importBasicUserKey(buk.public, back, secondInner);
        expect(await unseal(source.chip, returned, sealed)).toBe(expected);
      });
    });
  });
}
