/** Everything about grants, for operations: signing, verifying, checking one against a move, and chains of them. */
export { chainFor, delegatingGrants, verifyChain, type Chain, type ChainRequest } from './chain.ts';
export {
  checkGrant,
  checkNotRevoked,
  checkScope,
  checkTime,
  checkTrusted,
  isNamed,
  type MoveFacts,
  type Revoked,
} from './check-grant.ts';
export { signGrant, signRevocationList, type GrantBasis, type GrantDraft } from './sign-grant.ts';
export { verifyGrant, verifyRevocationList } from './verify-grant.ts';
