/**
 * Whether keys leave the protection of a chip by a grant. On a platform whose own chip is a TPM a grant leads to a computer
 * whose TPM is attested, or the owner says that it need not: from there on no chip is known to guard these keys.
 */
import { fail } from '../domain/error.ts';
import type { Identity } from '../domain/platform.ts';
import type { Call } from './operation.ts';
import type { Platform } from './platform-context.ts';
import { vouchedSentence, type IdentityProof } from './proof.ts';

/**
 * `kept`: a TPM is proven there. `none`: a software chip guards nothing here. `unknown`: the keys of a fleet come from computers
 * that are not this one. `given-up`: a TPM guards them here and the owner lets them go where none is known to.
 */
export type Guard = 'kept' | 'none' | 'unknown' | 'given-up';

export interface GuardQuestion {
  readonly platform: Platform | undefined;
  /** The grant is signed by an authority that also decides about other computers. */
  readonly fleet: boolean;
  readonly identity: Identity;
  readonly proof: IdentityProof;
}

/** `DestinationNotAttested` where the keys would be given up and the owner did not allow it; with a warning where that is allowed. */
export function requireGuarded(
  call: Call,
  { platform, fleet, identity, proof }: GuardQuestion,
  allowUnattested = false,
): Guard {
  if (proof.kind === 'Attested') return 'kept';
  if (platform?.settings.chip !== 'tpm2') return fleet ? 'unknown' : 'none';
  const what = proof.kind === 'Software' ? 'it has a software chip' : 'it claims a TPM and has not proven it';
  if (!allowUnattested) throw fail('DestinationNotAttested', { computer: identity.computer, proof: what });
  call.report.warning(
    `From ${identity.computer} on no chip is known to guard these keys: ${what}.`,
    'DestinationNotAttested',
  );
  return 'given-up';
}

/** Lines of the plan about it. */
export function guardLines(guard: Guard, proof: IdentityProof): readonly string[] {
  switch (guard) {
    case 'kept': {
      const sentence = vouchedSentence(proof);
      return sentence === undefined ? [] : [sentence];
    }
    case 'given-up':
      return ['From there on no chip is known to guard these keys.'];
    case 'unknown':
      return ['From there on no chip is known to guard these keys, also where a TPM guards them now.'];
    case 'none':
      return [];
  }
}
