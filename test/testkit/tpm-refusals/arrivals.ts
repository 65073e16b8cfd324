/** Refusals at the destination and in daily use: import, load, unseal, and what a change of the password leaves behind. */
import { concat } from '../../../core/src/bytes/bytes.ts';
import type { ErrorCode } from '../../../core/src/domain/error-catalogue.ts';
import type { KeyBlob } from '../../../core/src/domain/environment.ts';
import type { Duplicate } from '../../../core/src/ports/chip.ts';
import { OBJECT, type CommandName } from '../../../core/src/tpm2/constants.ts';
import { decodePublic, encodePublic } from '../../../core/src/tpm2/structures.ts';
import { importByHand, importWithoutInnerKey } from './by-hand.ts';
import {
  auth,
  flipped,
  handOver,
  innerKey,
  noAuth,
  otherInnerKey,
  secretOf,
  unseal,
  vaultAuth,
  vaultKey,
  wrongAuth,
  type Expected,
  type Question,
  type Refusal,
  type RefusalGroup,
  type RefusalWorld,
  type Place,
} from './world.ts';

const refusal = (command: CommandName, responseCode: number, code?: ErrorCode): Expected => ({
  command,
  responseCode,
  code,
});
const notForThis = (responseCode: number): Expected =>
  refusal('Import', responseCode, 'ArchiveNotForThisPlatform');
const integrity = notForThis(0x3df);

/** Key one on its way from the first place to the second. */
const onTheWay = (world: RefusalWorld): Promise<Duplicate> =>
  handOver(world, { steps: [world.root.grant(world.b.name)] });

interface Arrival {
  readonly at?: Place;
  readonly area?: Uint8Array;
  readonly handedOver?: Duplicate;
  readonly inner?: typeof innerKey;
}

function arrive(world: RefusalWorld, handedOver: Duplicate, change: Arrival): Promise<KeyBlob> {
  const { chip } = change.at ?? world.b;
  const area = change.area ?? world.one.public;
  return chip.importBasicUserKey(area, change.handedOver ?? handedOver, change.inner ?? innerKey);
}

function arrival(
  title: string,
  expected: Expected,
  change: (world: RefusalWorld, handedOver: Duplicate) => Arrival,
  rsa?: Partial<Expected>,
): Refusal {
  return {
    title,
    expected,
    allowed: async (world) => arrive(world, await onTheWay(world), {}),
    refused: async (world) => {
      const handedOver = await onTheWay(world);
      return arrive(world, handedOver, change(world, handedOver));
    },
    ...(rsa !== undefined && { rsa }),
  };
}

/** A Basic User Key's area with the attribute `encryptedDuplication` cleared. */
function withoutEncryption(publicArea: Uint8Array): Uint8Array {
  const area = decodePublic(publicArea);
  if (area === undefined) throw new Error('it is no public area');
  return encodePublic({ ...area, objectAttributes: area.objectAttributes & ~OBJECT.encryptedDuplication });
}

export const arrivals: RefusalGroup = {
  title: 'Arrival',
  allowed: 'The destination takes the key with the inner key of the user.',
  refusals: [
    arrival('on a third TPM', integrity, ({ c }) => ({ at: c }), { responseCode: 0x101 }),
    arrival('on the source itself', integrity, ({ a }) => ({ at: a }), { responseCode: 0x101 }),
    arrival('on a third TPM, whose storage key is of the other type', notForThis(0x4d5), ({ other }) => ({
      at: other,
    })),
    arrival('the integrity value changed', integrity, (_, handedOver) => ({
      handedOver: { ...handedOver, duplicate: flipped(handedOver.duplicate, 2) },
    })),
    arrival('the encrypted key changed', integrity, (_, handedOver) => ({
      handedOver: { ...handedOver, duplicate: flipped(handedOver.duplicate, -1) },
    })),
    arrival('the blob longer', integrity, (_, handedOver) => ({
      handedOver: { ...handedOver, duplicate: concat(handedOver.duplicate, Uint8Array.of(0)) },
    })),
    arrival('no blob', notForThis(0x3da), (_, handedOver) => ({
      handedOver: { ...handedOver, duplicate: new Uint8Array() },
    })),
    arrival(
      'the seed changed',
      notForThis(0x4e7),
      (_, handedOver) => ({ handedOver: { ...handedOver, seed: flipped(handedOver.seed, -1) } }),
      { responseCode: 0x101 },
    ),
    arrival('the seed cut', notForThis(0x4d5), (_, handedOver) => ({
      handedOver: { ...handedOver, seed: handedOver.seed.subarray(1) },
    })),
    arrival('no seed', notForThis(0x4c2), (_, handedOver) => ({
      handedOver: { ...handedOver, seed: new Uint8Array() },
    })),
    arrival("another key's public area", integrity, ({ two }) => ({ area: two.public })),
    {
      title: 'the public area without `encryptedDuplication`',
      expected: { ...integrity, code: undefined },
      allowed: async (world) => importByHand(world.b, world.one.public, await onTheWay(world)),
      refused: async (world) =>
        importByHand(world.b, withoutEncryption(world.one.public), await onTheWay(world)),
    },
    arrival(
      'a wrong inner key: the destination without the user',
      refusal('Import', 0x3d5, 'PasswordRejected'),
      () => ({
        inner: otherInnerKey,
      }),
    ),
    {
      title: 'no inner key',
      expected: refusal('Import', 0x1c2),
      allowed: async (world) => importByHand(world.b, world.one.public, await onTheWay(world)),
      refused: async (world) => importWithoutInnerKey(world.b, world.one.public, await onTheWay(world)),
    },
  ],
};

const openOne: Question = ({ a, one }) => unseal(a, one.blobs.a, one.sealed);

function use(
  title: string,
  expected: Expected,
  change: (world: RefusalWorld) => {
    readonly at?: Place;
    readonly blob?: KeyBlob;
    readonly sealed?: KeyBlob;
    readonly authValue?: typeof auth;
    readonly sealedAuth?: typeof auth;
  },
  more: Pick<Refusal, 'tries'> = {},
): Refusal {
  const refused: Question = (world) => {
    const { at = world.a, blob = world.one.blobs.a, sealed = world.one.sealed, ...auths } = change(world);
    return unseal(at, blob, sealed, auths);
  };
  return { title, expected, allowed: openOne, refused, ...more };
}

const foreignBlob = refusal('Load', 0x1df, 'StorageKeyChanged');
const foreignVaultKey = refusal('Load', 0x1df, 'ChipFailed');
const userOfKey = refusal('Load', 0x98e, 'PasswordRejected');
const userOfVaultKey = refusal('Unseal', 0x98e, 'PasswordRejected');
const once = { tries: 1 } as const;

export const uses: RefusalGroup = {
  title: 'Use',
  allowed:
    'The key is loaded below the storage key that it was made for, and opens its vault key for the user.',
  refusals: [
    use("another TPM's private half of the key", foreignBlob, ({ one }) => ({ blob: one.blobs.b })),
    use('the private half changed', foreignBlob, ({ one: { blobs } }) => ({
      blob: { ...blobs.a, private: flipped(blobs.a.private, -1) },
    })),
    use("another key's private half", foreignBlob, ({ one, two }) => ({
      blob: { ...one.blobs.a, private: two.blobs.a.private },
    })),
    use("another key's vault key", foreignVaultKey, ({ two }) => ({ sealed: two.sealed })),
    use('the vault key changed', foreignVaultKey, ({ one: { sealed } }) => ({
      sealed: { ...sealed, private: flipped(sealed.private, -1) },
    })),
    use('without the user (an empty authValue)', userOfKey, () => ({ authValue: noAuth }), once),
    use('a wrong user password', userOfKey, () => ({ authValue: wrongAuth }), once),
    use(
      'a wrong user password, on the destination',
      userOfKey,
      ({ b, one }) => ({ at: b, blob: one.blobs.b, authValue: wrongAuth }),
      once,
    ),
    use('a wrong authValue of the vault key', userOfVaultKey, () => ({ sealedAuth: auth }), once),
    {
      title: 'a vault key is sealed with a wrong user password',
      expected: refusal('Create', 0x98e, 'PasswordRejected'),
      allowed: (world) => sealWith(world, auth),
      refused: (world) => sealWith(world, wrongAuth),
      tries: 1,
    },
    {
      title: 'another password is set with a wrong one',
      expected: refusal('ObjectChangeAuth', 0x98e, 'PasswordRejected'),
      allowed: (world) => changeAuth(world, auth),
      refused: (world) => changeAuth(world, wrongAuth),
      tries: 1,
    },
  ],
};

async function sealWith({ a, one }: RefusalWorld, authValue: typeof auth): Promise<KeyBlob> {
  const loaded = await a.chip.loadBasicUserKey(one.blobs.a, authValue);
  try {
    return await loaded.sealVaultKey(vaultKey, vaultAuth);
  } finally {
    await loaded.dispose();
  }
}

const newAuth = secretOf(0x6e);
const newVaultAuth = secretOf(0x6f);

async function changeAuth({ a, one }: RefusalWorld, authValue: typeof auth): Promise<KeyBlob> {
  const loaded = await a.chip.loadBasicUserKey(one.blobs.a, authValue);
  try {
    return await loaded.changeAuth(newAuth);
  } finally {
    await loaded.dispose();
  }
}

/** Key one with another password, and a new vault key, which a change of the password makes as well. */
async function withNewPassword(world: RefusalWorld): Promise<{ blob: KeyBlob; sealed: KeyBlob }> {
  const blob = await changeAuth(world, auth);
  const loaded = await world.a.chip.loadBasicUserKey(blob, newAuth);
  try {
    return { blob, sealed: await loaded.sealVaultKey(vaultKey, newVaultAuth) };
  } finally {
    await loaded.dispose();
  }
}

type Changed = Awaited<ReturnType<typeof withNewPassword>>;

/** After a change of the password; allowed with everything new. */
function afterChange(
  title: string,
  expected: Expected,
  refused: (world: RefusalWorld, changed: Changed) => Promise<unknown>,
  allowed = (world: RefusalWorld, { blob, sealed }: Changed): Promise<unknown> =>
    unseal(world.a, blob, sealed, { authValue: newAuth, sealedAuth: newVaultAuth }),
): Refusal {
  return {
    title,
    expected,
    allowed: async (world) => allowed(world, await withNewPassword(world)),
    refused: async (world) => refused(world, await withNewPassword(world)),
    tries: 1,
  };
}

export const passwordChanges: RefusalGroup = {
  title: 'After a change of the password',
  allowed:
    'The new private half of the key takes the new password; the old one keeps the old password, and even loads what was sealed later.',
  refusals: [
    afterChange('the new private half with the old password', userOfKey, ({ a }, { blob, sealed }) =>
      unseal(a, blob, sealed, { sealedAuth: newVaultAuth }),
    ),
    afterChange('the old private half with the new password', userOfKey, ({ a, one }, { sealed }) =>
      unseal(a, one.blobs.a, sealed, { authValue: newAuth, sealedAuth: newVaultAuth }),
    ),
    afterChange(
      'the old private half and the old password: the new vault key with the old authValue',
      userOfVaultKey,
      ({ a, one }, { sealed }) => unseal(a, one.blobs.a, sealed),
      ({ a, one }, { sealed }) => unseal(a, one.blobs.a, sealed, { sealedAuth: newVaultAuth }),
    ),
    afterChange(
      'hand-over of the new private half with the old password',
      refusal('Duplicate', 0x98e, 'PasswordRejected'),
      (world, { blob }) => handOver(world, { blob, steps: [world.root.grant(world.b.name)] }),
      (world, { blob }) =>
        handOver(world, { blob, authValue: newAuth, steps: [world.root.grant(world.b.name)] }),
    ),
  ],
};
