/**
 * `Get-`, `Enable-` and `Disable-SPMigrationFeature`: which credential each feature uses. Enabling an older credential is
 * the product's "can be reactivated anytime"; nothing is ever removed by it.
 */
import { fail } from '../domain/error.ts';
import { features, type Credential, type Feature, type PublicPart } from '../domain/environment.ts';
import { describeCertificate } from '../crypto/x509.ts';
import { warnIfUnsuitable } from './certificate-use.ts';
import { changeEnvironment, prepareUnlock, userForChange, type PresentUser } from './change-environment.ts';
import { findCredential, warnIfOutOfTime } from './credential.ts';
import type { Call, Changer, Planned, Reader } from './operation.ts';
import { recordedPlatform } from './platform-context.ts';
import type { FeatureResult } from './results.ts';
import { presentFacts, requireUser } from './user-context.ts';

export const listFeatures: Reader<object, FeatureResult> = async function* (call) {
  const user = await requireUser(call, await recordedPlatform(call.ports));
  for (const feature of features) yield featureResult(feature, user.present.publicPart);
};

export interface EnableFeatureParameters {
  readonly feature: Feature;
  /** Absent: the one that the imported archive had active. */
  readonly credential?: string;
  readonly allowServiceAccount?: boolean;
}

export const enableFeature: Changer<EnableFeatureParameters, FeatureResult> = async (call, parameters) => {
  const user = await userForChange(call, parameters);
  const { feature } = parameters;
  const credential = chosen(user.present.publicPart, parameters);
  if (credential.certificate === undefined) throw fail('CredentialPending', { credential: credential.label });
  // Neither is a refusal: files of long ago open only with the certificate of long ago.
  warnIfOutOfTime(call, credential);
  warnIfUnsuitable(call, feature, credential);
  const before = user.present.publicPart.features[feature];
  const old = user.present.publicPart.credentials.find(({ id }) => id === before);
  const lines =
    before === credential.id
      ? [`${feature} uses ${credential.label} already.`]
      : [
          `${feature} uses ${credential.label} from now on.`,
          ...(old === undefined
            ? []
            : [`${old.label}, used until now, is kept and can be enabled again at any time.`]),
        ];
  return planAssignment(call, user, {
    operation: 'feature-enable',
    action: 'Enable a feature',
    feature,
    credential,
    lines,
  });
};

export interface DisableFeatureParameters {
  readonly feature: Feature;
  readonly allowServiceAccount?: boolean;
}

export const disableFeature: Changer<DisableFeatureParameters, FeatureResult> = async (call, parameters) => {
  const user = await userForChange(call, parameters);
  const { feature } = parameters;
  const lines = [
    user.present.publicPart.features[feature] === undefined
      ? `${feature} is not enabled.`
      : `${feature} uses no credential any more; its credential is kept.`,
  ];
  return planAssignment(call, user, {
    operation: 'feature-disable',
    action: 'Disable a feature',
    feature,
    credential: undefined,
    lines,
  });
};

interface Assignment {
  readonly operation: string;
  readonly action: string;
  readonly feature: Feature;
  readonly credential: Credential | undefined;
  readonly lines: readonly string[];
}

function planAssignment(call: Call, user: PresentUser, wanted: Assignment): Planned<FeatureResult> {
  const { feature, credential } = wanted;
  return {
    plan: {
      action: wanted.action,
      target: feature,
      impact: 'medium',
      lines: wanted.lines,
      facts: { ...presentFacts(user), feature, credential: credential?.id ?? null },
    },
    prepare: prepareUnlock(call, user),
    apply: () =>
      changeEnvironment(call, user, wanted.operation, ({ environment }) => {
        const publicPart = assign(environment.publicPart, feature, credential);
        const unchanged = environment.publicPart.features[feature] === credential?.id;
        return Promise.resolve({
          environment: unchanged ? undefined : { ...environment, publicPart },
          value: featureResult(feature, publicPart),
          facts: { feature, credential: credential?.id ?? 'none' },
        });
      }),
  };
}

function assign(part: PublicPart, feature: Feature, credential: Credential | undefined): PublicPart {
  const { [feature]: _before, ...others } = part.features;
  if (credential === undefined) return { ...part, features: others };
  const { [feature]: _proposed, ...proposed } = part.proposed;
  return { ...part, features: { ...others, [feature]: credential.id }, proposed };
}

function chosen(part: PublicPart, { credential, feature }: EnableFeatureParameters): Credential {
  if (credential !== undefined) return findCredential(part, credential);
  const proposed = part.credentials.find(({ id }) => id === part.proposed[feature]);
  if (proposed === undefined) {
    throw fail('ParameterInvalid', {
      parameter: 'Credential',
      problem: `no import proposed one for ${feature}; name one`,
    });
  }
  return proposed;
}

function featureResult(feature: Feature, part: PublicPart): FeatureResult {
  const find = (id: string | undefined): Credential | undefined =>
    part.credentials.find((credential) => credential.id === id);
  const credential = find(part.features[feature]);
  const described =
    credential?.certificate === undefined
      ? undefined
      : describeCertificate(credential.certificate, credential.label);
  return {
    feature,
    enabled: credential !== undefined,
    credential: credential?.id ?? null,
    label: credential?.label ?? null,
    thumbprint: described?.thumbprint ?? null,
    notAfter: described?.notAfter ?? null,
    proposed: find(part.proposed[feature])?.id ?? null,
  };
}
