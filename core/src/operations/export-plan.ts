/**
 * What an export tells before it happens, found without any secret: what travels and in which state, until when the grant
 * holds, and whether the keys can go on from the destination. Display only; what decides is in `export-environment.ts`.
 */
import { equal } from '../bytes/bytes.ts';
import { validityOf } from '../crypto/x509.ts';
import { activeFeatures, type Credential, type PublicPart } from '../domain/environment.ts';
import { formatInstant, secondsPerDay, type Instant } from '../domain/time.ts';
import { fewDays } from './archive-fit.ts';
import type { PresentUser } from './change-environment.ts';
import { daysLeftText } from './checks.ts';
import type { FoundGrant } from './grants-context.ts';
import type { Call } from './operation.ts';

/** One sentence for each thing that a person should know. */
export function exportLines(
  user: PresentUser,
  { signed: { grant } }: FoundGrant,
  now: Instant,
  withCode: boolean,
): readonly string[] {
  const { account, settings } = user.platform;
  const { publicPart } = user.present;
  const destination = grant.destinationComputer;
  return [
    `The environment of ${account.name} on ${settings.computer} can be opened on ${destination} only, and only with its password.`,
    ...(publicPart.credentials.length === 0
      ? ['No credential is in it: only the Basic User Key travels.']
      : []),
    ...publicPart.credentials.map((credential) => credentialLine(credential, publicPart, now)),
    `The grant ${grant.serial} permits it until ${formatInstant(grant.notAfter)} (${daysLeftText(grant.notAfter - now)}); by then it must be imported.`,
    onwardLine(user, grant),
    ...(withCode
      ? ['It opens only together with the transfer code as well: without it nobody opens it, you included.']
      : []),
  ];
}

function credentialLine(credential: Credential, publicPart: PublicPart, now: Instant): string {
  const { id, label } = credential;
  const active = activeFeatures(id, publicPart.features);
  const ended = endOf(credential);
  return [
    `${label} is in it${active.length === 0 ? '' : `, active for ${active.join(', ')}`}.`,
    ...(credential.certificate === undefined
      ? [
          'It still waits for its certificate; the key travels, and the certificate can be taken there or here.',
        ]
      : []),
    ...(ended !== undefined && ended < now
      ? [`Its certificate ended on ${formatInstant(ended)}; it travels like any other.`]
      : []),
  ].join(' ');
}

/** End of a credential's certificate; undefined while it waits for one. */
export function endOf({ certificate, label }: Credential): Instant | undefined {
  return certificate === undefined ? undefined : validityOf(certificate, label).notAfter;
}

/** Whether the owner of the destination may let the keys go on. */
function onwardLine(user: PresentUser, grant: FoundGrant['signed']['grant']): string {
  const from = `From ${grant.destinationComputer}`;
  if (grant.onward === 'no') return `${from} the keys may not be moved on: the grant says so.`;
  if (isDelegated(user, grant)) return `${from} the keys may be moved on by the authority of that computer.`;
  if (user.platform.settings.authority === 'fleet')
    return `${from} the keys may be moved on by the fleet authority, with a grant of its own.`;
  return isRootHere(user)
    ? `${from} the keys cannot be moved on: they were not registered here when the grant was signed.`
    : `${from} the keys can be moved on only if its authority is the one that they come from.`;
}

function isDelegated({ present }: PresentUser, grant: FoundGrant['signed']['grant']): boolean {
  return (
    grant.onward !== 'no' && grant.onward.some(({ basicUserKey }) => basicUserKey === present.basicUserKey)
  );
}

function isRootHere({ platform, present }: PresentUser): boolean {
  return equal(present.publicPart.rootAuthority, platform.settings.authorityKey);
}

/** What must not be missed in an export that goes on: a grant that ends soon, a key that will be stuck (ruling 2). */
export function exportWarnings(
  call: Call,
  user: PresentUser,
  { signed: { grant } }: FoundGrant,
  now: Instant,
): void {
  const left = grant.notAfter - now;
  if (left < fewDays * secondsPerDay) {
    call.report.warning(
      `The grant ${grant.serial} ends on ${formatInstant(grant.notAfter)} (${daysLeftText(left)}): after that nobody can import this archive.`,
    );
  }
  if (grant.onward === 'no' || user.platform.settings.authority !== 'local') return;
  // A key that came from elsewhere may be on its way back to the authority it comes from, which needs no delegation.
  if (isDelegated(user, grant) || !isRootHere(user)) return;
  call.report.warning(
    `The grant ${grant.serial} was signed before this user was registered: from ${grant.destinationComputer} the keys cannot be moved on. Ask the owner to grant again if that is wanted.`,
    'OnwardNotDelegated',
  );
}
