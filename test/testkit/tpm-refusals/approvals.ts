/** Refusals of a hand-over that one authority approves, asked through the port: the approval, its destination, the user. */
import { concat } from '../../../core/src/bytes/bytes.ts';
import type { PolicyStep } from '../../../core/src/ports/chip.ts';
import { OBJECT } from '../../../core/src/tpm2/constants.ts';
import { bukBranches, policyAuthorize, REF_ANY, refOne } from '../../../core/src/tpm2/policy.ts';
import { nameOf } from '../../../core/src/tpm2/name.ts';
import { decodePublic, encodePublic, type EccPublic } from '../../../core/src/tpm2/structures.ts';
import {
  flipped,
  handOver,
  noAuth,
  vaultAuth,
  wrongAuth,
  type Expected,
  type HandOver,
  type Question,
  type Refusal,
  type RefusalGroup,
  type RefusalWorld,
} from './world.ts';

const refusal = (command: Expected['command'], responseCode: number): Expected => ({
  command,
  responseCode,
  code: 'DestinationNotAuthorized',
});
const wrongSignature = refusal('VerifySignature', 0x2db);
const anotherApproval = refusal('PolicyAuthorize', 0x1c4);
const noBranch = refusal('PolicyOR', 0x1c4);
const anotherPolicy = refusal('Duplicate', 0x99d);

const allowed: Question = (world) => handOver(world, { steps: [world.root.grant(world.b.name)] });

/** The allowed question with one change. */
function approval(
  title: string,
  expected: Expected,
  change: (world: RefusalWorld) => Partial<HandOver>,
  more: Pick<Refusal, 'tries'> = {},
): Refusal {
  const refused: Question = (world) =>
    handOver(world, { steps: [world.root.grant(world.b.name)], ...change(world) });
  return { title, expected, refused, allowed, ...more };
}

const withSteps = (
  title: string,
  expected: Expected,
  steps: (world: RefusalWorld) => readonly PolicyStep[],
): Refusal => approval(title, expected, (world) => ({ steps: steps(world) }));

/** The public area of an authority, as that of a key which does not sign. */
export function asDecryptionKey(publicArea: Uint8Array, scheme: EccPublic['scheme'] = 'NULL'): Uint8Array {
  const area = decodePublic(publicArea);
  if (area?.type !== 'ECC') throw new Error('it is no authority');
  const objectAttributes = OBJECT.decrypt | OBJECT.userWithAuth;
  return encodePublic({ ...area, objectAttributes, scheme });
}

const bound: Refusal = {
  title: 'an approval that names this key, used for another key',
  expected: anotherApproval,
  allowed: (world) => handOver(world, { steps: [world.root.grant(world.b.name, world.one.name)] }),
  refused: (world) =>
    handOver(world, { key: world.two, steps: [world.root.grant(world.b.name, world.one.name)] }),
};

const movedByRefOne: Refusal = {
  title: 'an approval for one key under its refOne, used for another key',
  expected: noBranch,
  allowed: (world) => handOver(world, { steps: [world.root.moveOne(world.one.nonce, world.b.name)] }),
  refused: (world) =>
    handOver(world, { key: world.two, steps: [world.root.moveOne(world.one.nonce, world.b.name)] }),
};

const wrongUser = refusal('Duplicate', 0x98e);
const user: Expected = { ...wrongUser, code: 'PasswordRejected' };

export const approvals: RefusalGroup = {
  title: 'One approval',
  allowed:
    'The authority fixed in the key approves the move to a storage key under refAny, and the user authorizes it.',
  refusals: [
    withSteps('no approval', noBranch, () => []),
    withSteps('approval for another destination', anotherApproval, ({ root, c }) => [root.grant(c.name)]),
    withSteps(
      'approval for another destination, relabelled as one for this destination',
      wrongSignature,
      ({ root, b, c }) => [{ ...root.grant(c.name), approvedPolicy: root.grant(b.name).approvedPolicy }],
    ),
    approval('approved for one destination, handed over to another', anotherApproval, ({ c }) => ({
      to: c.storageKey,
    })),
    withSteps('approval by a stranger', noBranch, ({ stranger, b }) => [stranger.grant(b.name)]),
    approval("approval by a stranger, with the stranger's branches", anotherPolicy, (world) => ({
      steps: [world.stranger.grant(world.b.name)],
      branches: bukBranches(world.stranger.name, world.one.nonce),
    })),
    withSteps("a stranger's signature under the authority's key", wrongSignature, ({ stranger, root, b }) => [
      { ...stranger.grant(b.name), authority: root.public },
    ]),
    withSteps('a signature with one bit changed', wrongSignature, ({ root, b }) => {
      const step = root.grant(b.name);
      return [{ ...step, signature: flipped(step.signature, 40) }];
    }),
    withSteps(
      "the authority's public area as a decryption key's",
      refusal('VerifySignature', 0x182),
      ({ root, b }) => [{ ...root.grant(b.name), authority: asDecryptionKey(root.public) }],
    ),
    withSteps(
      'a decryption key with the scheme of signatures',
      refusal('LoadExternal', 0x2d2),
      ({ root, b }) => [{ ...root.grant(b.name), authority: asDecryptionKey(root.public, 'ECDSA-SHA256') }],
    ),
    withSteps("the authority's public area cut", refusal('LoadExternal', 0x2d5), ({ root, b }) => [
      { ...root.grant(b.name), authority: root.public.subarray(0, -1) },
    ]),
    withSteps('approval under a policyRef of neither branch', noBranch, ({ root, b, two }) => [
      root.moveOne(two.nonce, b.name),
    ]),
    withSteps('approval under refOne, relabelled as refAny', wrongSignature, ({ root, b, one }) => [
      { ...root.moveOne(one.nonce, b.name), policyRef: REF_ANY },
    ]),
    withSteps('policyRef of 65 bytes', refusal('PolicyAuthorize', 0x2d5), ({ root, b }) => [
      root.approve(root.grant(b.name).approvedPolicy, new Uint8Array(65).fill(1)),
    ]),
    bound,
    movedByRefOne,
    approval('branches in the other order', anotherPolicy, ({ one: { branches } }) => ({
      branches: [branches[1], branches[0]],
    })),
    approval('the branch that is used, changed', noBranch, ({ stranger, one: { branches } }) => ({
      branches: [policyAuthorize(stranger.name, REF_ANY), branches[1]],
    })),
    approval('the branch that is not used, changed', anotherPolicy, ({ stranger, one }) => ({
      branches: [one.branches[0], policyAuthorize(stranger.name, refOne(one.nonce))],
    })),
    approval('the used branch twice', anotherPolicy, ({ one: { branches } }) => ({
      branches: [branches[0], branches[0]],
    })),
    approval("another key's branches", anotherPolicy, ({ two }) => ({ branches: two.branches })),
    approval(
      'a destination that is no storage key, and approved',
      refusal('Duplicate', 0x28a),
      ({ root }) => ({
        to: root.public,
        steps: [root.grant(root.name)],
      }),
    ),
    approval('a public area of no key, and approved', refusal('LoadExternal', 0x2d5), ({ root, b }) => {
      const longer = concat(b.storageKey, Uint8Array.of(0));
      return { to: longer, steps: [root.grant(nameOf(longer))] };
    }),
    approval('without the user (an empty authValue)', user, () => ({ authValue: noAuth }), { tries: 1 }),
    approval('a wrong user password', user, () => ({ authValue: wrongAuth }), { tries: 1 }),
    approval("the vault key's authValue as the user's", user, () => ({ authValue: vaultAuth }), { tries: 1 }),
  ],
};
