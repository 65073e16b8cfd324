/** Refusals of policy sessions that our chip never makes: another order, left-out assertions, tickets of another time or TPM. */
import { TPM2_Duplicate } from '../../../core/src/tpm2/commands/duplication.ts';
import { TPM2_LoadExternal, TPM2_ObjectChangeAuth } from '../../../core/src/tpm2/commands/object.ts';
import {
  TPM2_PolicyAuthValue,
  TPM2_PolicyDuplicationSelect,
  TPM2_PolicyOR,
} from '../../../core/src/tpm2/commands/policy.ts';
import { TPM2_Load } from '../../../core/src/tpm2/commands/object.ts';
import { entityOf, type Entity } from '../../../core/src/tpm2/command.ts';
import { RH, type CommandName } from '../../../core/src/tpm2/constants.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { REF_ANY } from '../../../core/src/tpm2/policy.ts';
import {
  byHand,
  fromFirst,
  handOverByHand,
  type HandOverByHand,
  type TpmByHand,
  type Verified,
} from './by-hand.ts';
import { commandCodeDigest } from './command-code.ts';
import {
  auth,
  innerKey,
  placeOn,
  secretOf,
  vaultAuth,
  wrongAuth,
  type Expected,
  type Question,
  type Refusal,
  type RefusalGroup,
  type Place,
  type RefusalWorld,
} from './world.ts';
import type { TestAuthority } from '../chain.ts';
import { Swtpm } from '../swtpm.ts';
import type { Session } from '../../../core/src/tpm2/session.ts';

const refusal = (command: CommandName, responseCode: number): Expected => ({
  command,
  responseCode,
  code: undefined,
});
const anotherApproval = refusal('PolicyAuthorize', 0x1c4);
const wrongTicket = refusal('PolicyAuthorize', 0x4c4);
const noBranch = refusal('PolicyOR', 0x1c4);
const anotherPolicy = refusal('Duplicate', 0x99d);

/** On the second place, by the delegate, to the third. */
const fromSecond = ({ root, delegate, b, c, one }: RefusalWorld): HandOverByHand => ({
  at: b,
  key: one,
  blob: one.blobs.b,
  selected: c,
  steps: [delegate.moveOne(one.nonce, c.name), root.delegate(one.nonce, delegate)],
});

function session(
  title: string,
  expected: Expected,
  change: (world: RefusalWorld) => Partial<HandOverByHand>,
  from = fromFirst,
): Refusal {
  const allowed: Question = (world) => handOverByHand(from(world));
  const refused: Question = (world) => handOverByHand({ ...from(world), ...change(world) });
  return { title, expected, refused, allowed };
}

/** A ticket for the approval of `fromFirst`. */
const ticketFor = (hand: TpmByHand, { root, b }: RefusalWorld): Promise<Verified> =>
  hand.verify(root.grant(b.name));

/** A ticket in a session of its own: by itself it shows whether the TPM takes it. */
const showTicket = (place: Place, { root, b }: RefusalWorld, verified: Verified): Promise<void> =>
  byHand(place, async (hand) => hand.approve(await selected(hand, root, b), root.grant(b.name), verified));

async function selected(hand: TpmByHand, root: TestAuthority, to: Place): Promise<Session> {
  const made = await hand.policySession();
  await hand.run(TPM2_PolicyDuplicationSelect(made, root.name, to.name, false));
  return made;
}

/** A TPM of its own, as it loses its keys. Before `lost` its ticket is taken, also after a reset and by another session. */
const ticketAfter =
  (lost: (tpm: Swtpm) => Promise<void>): Question =>
  async (world) => {
    const tpm = await Swtpm.start();
    try {
      const verified = await byHand(await placeOn(tpm), (hand) => ticketFor(hand, world));
      await lost(tpm);
      await showTicket(await placeOn(tpm), world, verified);
    } finally {
      await tpm.stop();
    }
  };

export const orders: RefusalGroup = {
  title: 'Sessions of another order',
  allowed:
    'PolicyDuplicationSelect, PolicyAuthorize for each step, PolicyOR of the two branches, PolicyAuthValue, Duplicate.',
  refusals: [
    session('PolicyOR left out', anotherPolicy, () => ({ tail: ['authValue'] })),
    session(
      'PolicyOR left out, after a delegation',
      anotherPolicy,
      () => ({ tail: ['authValue'] }),
      fromSecond,
    ),
    session('PolicyAuthValue left out', anotherPolicy, () => ({ tail: ['or'] })),
    session('both left out', anotherPolicy, () => ({ tail: [] })),
    session('PolicyAuthValue before PolicyOR', noBranch, () => ({ tail: ['authValue', 'or'] })),
    session('PolicyAuthValue before PolicyOR and after it', noBranch, () => ({
      tail: ['authValue', 'or', 'authValue'],
    })),
    session('PolicyAuthValue before the approval', anotherApproval, () => ({ authValueBefore: 0 })),
    session(
      'PolicyAuthValue before the delegation',
      anotherApproval,
      () => ({ authValueBefore: 1 }),
      fromSecond,
    ),
    session('PolicyAuthValue before the approval only', anotherApproval, () => ({
      authValueBefore: 0,
      tail: ['or'],
    })),
    session('PolicyOR twice', noBranch, () => ({ tail: ['or', 'or', 'authValue'] })),
    session('PolicyOR again at the end', noBranch, () => ({ tail: ['or', 'authValue', 'or'] })),
    session('no branch', refusal('PolicyOR', 0x1d5), () => ({ branches: [] })),
    session('one branch', refusal('PolicyOR', 0x1d5), ({ one: { branches } }) => ({
      branches: [branches[0]],
    })),
    session('a third branch', anotherPolicy, ({ one, two }) => ({
      branches: [...one.branches, two.branches[1]],
    })),
    session('nine branches', refusal('PolicyOR', 0x1d5), ({ one: { branches } }) => ({
      branches: Array.from({ length: 9 }, (_, n) => branches[n % 2]!),
    })),
    session(
      "another key's delegation, with the branches of both keys",
      anotherPolicy,
      (world) => {
        const { root, delegate, one, two, c } = world;
        return {
          key: two,
          blob: two.blobs.b,
          steps: [delegate.moveOne(one.nonce, c.name), root.delegate(one.nonce, delegate)],
          branches: [...two.branches, one.branches[1]],
        };
      },
      fromSecond,
    ),
    session('selected one destination, duplicated to another', anotherPolicy, ({ c }) => ({ to: c })),
    session('selected for another key', anotherPolicy, ({ two }) => ({ blob: two.blobs.a })),
    session('without an inner wrapper', refusal('Duplicate', 0x2d6), () => ({ withoutInnerWrapper: true })),
  ],
};

export const tickets: RefusalGroup = {
  title: 'Tickets',
  allowed:
    'A ticket is the word of this TPM that this key has signed this approval. It may be used again, also after a reset.',
  refusals: [
    session("a stranger's ticket under the authority's Name", wrongTicket, ({ stranger, root, b }) => ({
      verified: async (hand) => ({
        ...(await hand.verify(stranger.grant(b.name))),
        keySign: root.name,
      }),
    })),
    session("a ticket of the authority under a stranger's Name", wrongTicket, ({ stranger, root, b }) => ({
      verified: async (hand) => ({ ...(await hand.verify(root.grant(b.name))), keySign: stranger.name }),
    })),
    session('a ticket for another approval of the authority', wrongTicket, ({ root, c }) => ({
      verified: (hand) => hand.verify(root.grant(c.name)),
    })),
    session('the ticket of a key that was loaded under TPM_RH_NULL', wrongTicket, ({ root, b }) => ({
      verified: (hand) => hand.verify(root.grant(b.name), RH.NULL),
    })),
    {
      title: 'a ticket of another TPM',
      expected: wrongTicket,
      allowed: async (world) =>
        showTicket(world.a, world, await byHand(world.a, (hand) => ticketFor(hand, world))),
      refused: async (world) =>
        showTicket(world.a, world, await byHand(world.b, (hand) => ticketFor(hand, world))),
    },
    {
      title: 'a ticket from before the TPM was cleared',
      expected: wrongTicket,
      allowed: ticketAfter((tpm) => tpm.powerCycle()),
      refused: ticketAfter((tpm) => tpm.clear()),
    },
  ],
};

/** The authority's approval of a command by its code, and a session that meets the whole policy with it. */
async function approvedCommand(
  hand: TpmByHand,
  { root, one }: RefusalWorld,
  command: CommandName,
): Promise<Awaited<ReturnType<TpmByHand['policySession']>>> {
  const made = await hand.policySession();
  await hand.policyCommandCode(made, command);
  await hand.approve(made, root.approve(commandCodeDigest(command), REF_ANY));
  await hand.run(TPM2_PolicyOR(made, one.branches));
  await hand.run(TPM2_PolicyAuthValue(made));
  return made;
}

/** The authority has approved TPM2_ObjectChangeAuth; who knows the password sets another. */
const passwordByApproval =
  (authValue: typeof auth): Question =>
  (world) =>
    byHand(world.a, async (hand) => {
      const object = await hand.load(world.one.blobs.a);
      const made = await approvedCommand(hand, world, 'ObjectChangeAuth');
      const command = TPM2_ObjectChangeAuth(object, hand.storageKey, secretOf(0x6e));
      return hand.run(command, { session: made, authValue });
    });

/** The authority has approved TPM2_Duplicate to anywhere, which this product never signs. */
const approvedAnywhere =
  (nowhere: boolean): Question =>
  (world) =>
    byHand(world.a, async (hand) => {
      const object = await hand.load(world.one.blobs.a);
      const made = await approvedCommand(hand, world, 'Duplicate');
      const parent = nowhere ? entityOf(RH.NULL) : await hand.run(TPM2_LoadExternal(world.b.storageKey));
      return hand.run(TPM2_Duplicate(object, parent, innerKey), { session: made, authValue: auth });
    });

/** Works with the vault key of key one, loaded. */
const withVaultKey = (
  { a, one }: RefusalWorld,
  work: (hand: TpmByHand, item: Entity, parent: Entity) => Promise<unknown>,
): Promise<unknown> =>
  byHand(a, async (hand) => {
    const key = await hand.load(one.blobs.a);
    const item = await hand.run(TPM2_Load(key, one.sealed), await hand.authorize(auth));
    return work(hand, item, key);
  });

/** The vault key may be given another authValue by who knows its own: so it was loaded, and could be asked for anything. */
const vaultKeyUsed: Question = (world) =>
  withVaultKey(world, async (hand, item, key) =>
    hand.run(TPM2_ObjectChangeAuth(item, key, secretOf(0x6f)), await hand.authorize(vaultAuth)),
  );

const duplicatedKey: Question = (world) => handOverByHand(fromFirst(world));

export const others: RefusalGroup = {
  title: 'Ways around the policy',
  allowed: 'The same, with the user, to a destination, or with the policy.',
  refusals: [
    {
      title: 'the user alone, without a policy',
      expected: refusal('Duplicate', 0x124),
      allowed: duplicatedKey,
      refused: (world) =>
        byHand(world.a, async (hand) => {
          const object = await hand.load(world.one.blobs.a);
          const parent = await hand.run(TPM2_LoadExternal(world.b.storageKey));
          return hand.run(TPM2_Duplicate(object, parent, innerKey), await hand.authorize(auth));
        }),
    },
    {
      title: "the authority alone approves TPM2_ObjectChangeAuth, to set another user's password",
      expected: refusal('ObjectChangeAuth', 0x98e),
      allowed: passwordByApproval(auth),
      refused: passwordByApproval(wrongAuth),
      tries: 1,
    },
    {
      title: 'authority and user together, to no destination (TPM_RH_NULL): the key in the clear',
      expected: refusal('Duplicate', 0x285),
      allowed: approvedAnywhere(false),
      refused: approvedAnywhere(true),
    },
    {
      title: 'the vault key alone is duplicated, with its own authValue',
      expected: refusal('Duplicate', 0x124),
      allowed: vaultKeyUsed,
      refused: (world) =>
        withVaultKey(world, async (hand, item, key) => {
          await hand.flush(key);
          const parent = await hand.run(TPM2_LoadExternal(world.b.storageKey));
          return hand.run(TPM2_Duplicate(item, parent, innerKey), await hand.authorize(vaultAuth));
        }),
    },
    {
      title: 'the vault key alone is duplicated, with an approval',
      expected: refusal('Duplicate', 0x99d),
      allowed: vaultKeyUsed,
      refused: (world) =>
        withVaultKey(world, async (hand, item, key) => {
          await hand.flush(key);
          const made = await hand.policySession();
          const { root, b, one } = world;
          const name = nameOf(one.sealed.public);
          await hand.run(TPM2_PolicyDuplicationSelect(made, name, b.name, false));
          await hand.approve(made, root.grant(b.name));
          await hand.run(TPM2_PolicyOR(made, one.branches));
          await hand.run(TPM2_PolicyAuthValue(made));
          const parent = await hand.run(TPM2_LoadExternal(b.storageKey));
          const command = TPM2_Duplicate(item, parent, innerKey);
          return hand.run(command, { session: made, authValue: vaultAuth });
        }),
    },
  ],
};
