/** Refusals of a hand-over by delegates, asked through the port: each delegation covers one key and one delegate. */
import { bukBranches, policyAuthorize, REF_ANY, refOne } from '../../../core/src/tpm2/policy.ts';
import {
  handOver,
  wrongAuth,
  type Expected,
  type HandOver,
  type Question,
  type Refusal,
  type RefusalGroup,
  type RefusalWorld,
} from './world.ts';
import { asDecryptionKey } from './approvals.ts';

const refusal = (command: Expected['command'], responseCode: number): Expected => ({
  command,
  responseCode,
  code: 'DestinationNotAuthorized',
});
const wrongSignature = refusal('VerifySignature', 0x2db);
const anotherApproval = refusal('PolicyAuthorize', 0x1c4);
const noBranch = refusal('PolicyOR', 0x1c4);
const anotherPolicy = refusal('Duplicate', 0x99d);
const user: Expected = { ...refusal('Duplicate', 0x98e), code: 'PasswordRejected' };

/** The delegate on the second place moves key one to the third. */
const oneHop = ({ root, delegate, one, c }: RefusalWorld): HandOver => ({
  at: 'b',
  to: c.storageKey,
  steps: [delegate.moveOne(one.nonce, c.name), root.delegate(one.nonce, delegate)],
});
/** The second delegate on the third place moves it back to the first. */
const twoHops = ({ root, delegate, second, one, a }: RefusalWorld): HandOver => ({
  at: 'c',
  to: a.storageKey,
  steps: [
    second.moveOne(one.nonce, a.name),
    delegate.delegate(one.nonce, second),
    root.delegate(one.nonce, delegate),
  ],
});

type Change = (world: RefusalWorld) => Partial<HandOver>;
const changed =
  (from: (world: RefusalWorld) => HandOver) =>
  (title: string, expected: Expected, change: Change, more: Pick<Refusal, 'tries'> = {}): Refusal => {
    const allowed: Question = (world) => handOver(world, from(world));
    const refused: Question = (world) => handOver(world, { ...from(world), ...change(world) });
    return { title, expected, allowed, refused, ...more };
  };
const delegated = changed(oneHop);
const delegatedTwice = changed(twoHops);

/** Key two, on the second place, with what was signed for key one. */
const otherKey = (
  title: string,
  expected: Expected,
  change: (world: RefusalWorld, own: { readonly steps: HandOver['steps'] }) => Partial<HandOver>,
): Refusal => {
  const own = ({ root, delegate, two, c }: RefusalWorld): HandOver => ({
    at: 'b',
    key: two,
    to: c.storageKey,
    steps: [delegate.moveOne(two.nonce, c.name), root.delegate(two.nonce, delegate)],
  });
  return {
    title,
    expected,
    allowed: (world) => handOver(world, own(world)),
    refused: (world) => handOver(world, { ...own(world), ...change(world, own(world)) }),
  };
};

export const delegations: RefusalGroup = {
  title: 'One delegation',
  allowed:
    "The key's authority delegates this one key to the destination's authority, which approves the next move under the key's refOne.",
  refusals: [
    delegated("the delegate's approval without the delegation", noBranch, ({ delegate, one, c }) => ({
      steps: [delegate.moveOne(one.nonce, c.name)],
    })),
    delegated(
      "the same, with the branches that the delegate's own key would have",
      anotherPolicy,
      ({ delegate, one, c }) => ({
        steps: [delegate.moveOne(one.nonce, c.name)],
        branches: bukBranches(delegate.name, one.nonce),
      }),
    ),
    delegated("the delegate's approval under refAny without the delegation", noBranch, ({ delegate, c }) => ({
      steps: [delegate.grant(c.name)],
    })),
    delegated("the delegate's approval under refAny", anotherApproval, ({ root, delegate, one, c }) => ({
      steps: [delegate.grant(c.name), root.delegate(one.nonce, delegate)],
    })),
    delegated('the delegation without an approval', anotherApproval, ({ root, delegate, one }) => ({
      steps: [root.delegate(one.nonce, delegate)],
    })),
    delegated('no steps at all', noBranch, () => ({ steps: [] })),
    delegated('steps in the other order', anotherApproval, (world) => ({
      steps: oneHop(world).steps.toReversed(),
    })),
    delegated('the delegate approves another destination', anotherApproval, ({ root, delegate, one, a }) => ({
      steps: [delegate.moveOne(one.nonce, a.name), root.delegate(one.nonce, delegate)],
    })),
    delegated('the delegate approves another key', anotherApproval, ({ root, delegate, one, two, c }) => ({
      steps: [delegate.moveOne(one.nonce, c.name, two.name), root.delegate(one.nonce, delegate)],
    })),
    delegated('delegation by a stranger', noBranch, ({ stranger, delegate, one, c }) => ({
      steps: [delegate.moveOne(one.nonce, c.name), stranger.delegate(one.nonce, delegate)],
    })),
    delegated(
      "a stranger's delegation under the authority's key",
      wrongSignature,
      ({ root, stranger, delegate, one, c }) => ({
        steps: [
          delegate.moveOne(one.nonce, c.name),
          { ...stranger.delegate(one.nonce, delegate), authority: root.public },
        ],
      }),
    ),
    delegated(
      'a delegation to somebody else, used by a stranger',
      anotherApproval,
      ({ root, delegate, stranger, one, c }) => ({
        steps: [stranger.moveOne(one.nonce, c.name), root.delegate(one.nonce, delegate)],
      }),
    ),
    delegated('delegation under a policyRef of neither branch', noBranch, ({ root, delegate, one, c }) => ({
      steps: [
        delegate.moveOne(one.nonce, c.name),
        root.approve(policyAuthorize(delegate.name, refOne(one.nonce)), new Uint8Array(32).fill(1)),
      ],
    })),
    delegated(
      'delegation of another policyRef of the delegate',
      anotherApproval,
      ({ root, delegate, one, c }) => ({
        steps: [
          delegate.moveOne(one.nonce, c.name),
          root.approve(policyAuthorize(delegate.name, REF_ANY), refOne(one.nonce)),
        ],
      }),
    ),
    delegated(
      "the delegate's public area as a decryption key's",
      refusal('VerifySignature', 0x182),
      ({ root, delegate, one, c }) => ({
        steps: [
          { ...delegate.moveOne(one.nonce, c.name), authority: asDecryptionKey(delegate.public) },
          root.delegate(one.nonce, delegate),
        ],
      }),
    ),
    delegated('a wrong user password', user, () => ({ authValue: wrongAuth }), { tries: 1 }),
  ],
};

export const delegationsOfOtherKeys: RefusalGroup = {
  title: "Another key's delegation",
  allowed: 'The same delegation, made for this key.',
  refusals: [
    otherKey("everything under the other key's refOne", noBranch, ({ root, delegate, one, c }) => ({
      steps: [delegate.moveOne(one.nonce, c.name), root.delegate(one.nonce, delegate)],
    })),
    otherKey(
      "everything under the other key's refOne, with its branches",
      anotherPolicy,
      ({ root, delegate, one, c }) => ({
        steps: [delegate.moveOne(one.nonce, c.name), root.delegate(one.nonce, delegate)],
        branches: one.branches,
      }),
    ),
    otherKey(
      "approval under this key's refOne, the other key's delegation",
      anotherApproval,
      ({ root, delegate, one }, { steps: [move] }) => ({
        steps: [move!, root.delegate(one.nonce, delegate)],
      }),
    ),
    otherKey(
      "the other key's delegation, relabelled as this key's refOne",
      wrongSignature,
      ({ root, delegate, one, two }, { steps: [move] }) => ({
        steps: [move!, { ...root.delegate(one.nonce, delegate), policyRef: refOne(two.nonce) }],
      }),
    ),
    otherKey(
      "the other key's delegation, relabelled as refAny",
      wrongSignature,
      ({ root, delegate, one, c }) => ({
        steps: [
          delegate.moveOne(one.nonce, c.name),
          { ...root.delegate(one.nonce, delegate), policyRef: REF_ANY },
        ],
      }),
    ),
    otherKey(
      'two delegations, the whole chain of the other key',
      noBranch,
      ({ root, delegate, second, one, c }) => ({
        steps: [
          second.moveOne(one.nonce, c.name),
          delegate.delegate(one.nonce, second),
          root.delegate(one.nonce, delegate),
        ],
      }),
    ),
  ],
};

export const twoDelegations: RefusalGroup = {
  title: 'Two delegations',
  allowed: 'The delegate delegates on, and the second delegate approves the third move.',
  refusals: [
    delegatedTwice("the authority's delegation is missing", noBranch, (world) => ({
      steps: twoHops(world).steps.slice(0, 2),
    })),
    delegatedTwice("the delegate's delegation is missing", anotherApproval, (world) => ({
      steps: twoHops(world).steps.toSpliced(1, 1),
    })),
    delegatedTwice('the two delegations swapped', anotherApproval, (world) => {
      const [move, onward, first] = twoHops(world).steps;
      return { steps: [move!, first!, onward!] };
    }),
    delegatedTwice('the second delegate approves under refAny', anotherApproval, (world) => ({
      steps: [world.second.grant(world.a.name), ...twoHops(world).steps.slice(1)],
    })),
    delegatedTwice('the delegate delegates under refAny', anotherApproval, (world) => {
      const { delegate, second, one } = world;
      const wide = delegate.approve(policyAuthorize(second.name, refOne(one.nonce)), REF_ANY);
      return { steps: twoHops(world).steps.with(1, wide) };
    }),
    delegatedTwice("the delegate's delegation is for another key", anotherApproval, (world) => ({
      steps: twoHops(world).steps.with(1, world.delegate.delegate(world.two.nonce, world.second)),
    })),
    delegatedTwice("a stranger delegates in the delegate's place", anotherApproval, (world) => ({
      steps: twoHops(world).steps.with(1, world.stranger.delegate(world.one.nonce, world.second)),
    })),
    delegatedTwice('a wrong user password', user, () => ({ authValue: wrongAuth }), { tries: 1 }),
  ],
};
