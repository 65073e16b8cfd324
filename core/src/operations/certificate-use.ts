/**
 * Whether a certificate may do what a feature does with it: key usage (RFC 5280, 4.2.1.3) and extended key usage (4.2.1.12). A
 * certificate without an extension is not restricted by it. Leaves out time (`credential.ts`) and trust: the programs that
 * use a certificate decide about those.
 */
import type { Credential, Feature } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import { describeCertificate, type CertificateDescription, type KeyUsage } from '../crypto/x509.ts';
import type { Call } from './operation.ts';

interface Need {
  /** One of these uses of the key. */
  readonly keyUsages: readonly KeyUsage[];
  /** What a certificate lacks that has none of them. */
  readonly without: string;
  /** One of these purposes, where the certificate is restricted to some; undefined: any will do. */
  readonly purposes: readonly string[] | undefined;
  readonly purposeName: string;
}

const anyPurpose = '2.5.29.37.0';
const emailProtection = '1.3.6.1.5.5.7.3.4';
/** szOID_EFS_CRYPTO; Windows takes no other certificate for its file encryption. */
const fileEncryption = '1.3.6.1.4.1.311.10.3.4';

const encrypting: readonly KeyUsage[] = ['keyEncipherment', 'dataEncipherment', 'keyAgreement'];
const signing: readonly KeyUsage[] = ['digitalSignature', 'contentCommitment'];

const needs: Readonly<Record<Feature, Need>> = {
  SecureEmail: {
    keyUsages: [...signing, ...encrypting],
    without: 'its key may neither sign nor encrypt',
    purposes: [emailProtection, anyPurpose],
    purposeName: 'e-mail protection',
  },
  Efs: {
    keyUsages: encrypting,
    without: 'its key may sign only, not encrypt',
    purposes: [fileEncryption, anyPurpose],
    purposeName: 'file encryption',
  },
  SecureDrive: {
    keyUsages: encrypting,
    without: 'its key may sign only, not encrypt',
    purposes: undefined,
    purposeName: '',
  },
};

/** Why the certificate does not fit the feature; undefined where it does. Pure. */
export function misfitOfUse(
  feature: Feature,
  { keyUsage, extendedKeyUsages }: Pick<CertificateDescription, 'keyUsage' | 'extendedKeyUsages'>,
): string | undefined {
  const need = needs[feature];
  if (keyUsage !== undefined && !keyUsage.some((usage) => need.keyUsages.includes(usage)))
    return need.without;
  const { purposes } = need;
  if (purposes === undefined || extendedKeyUsages === undefined) return undefined;
  if (extendedKeyUsages.some((purpose) => purposes.includes(purpose))) return undefined;
  return `it is not issued for ${need.purposeName}`;
}

/** Warns of a certificate that programs may refuse for this feature (`CertificateUnsuitable`). */
export function warnIfUnsuitable(call: Call, feature: Feature, credential: Credential): void {
  if (credential.certificate === undefined) return;
  const misfit = misfitOfUse(feature, describeCertificate(credential.certificate, credential.label));
  if (misfit === undefined) return;
  const { message, code } = fail('CertificateUnsuitable', {
    credential: credential.label,
    feature,
    problem: misfit,
  });
  call.report.warning(message, code);
}
