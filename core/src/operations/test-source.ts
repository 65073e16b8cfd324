/**
 * `Test-SPMigration -Role Source`: what would travel, in which state, by which grants and until when, and whether the owner
 * here knows the key. Reads what an export would read, and nothing that needs the password.
 */
import { activeFeatures, features, type Credential, type PublicPart } from '../domain/environment.ts';
import { fail } from '../domain/error.ts';
import { formatInstant, secondsPerDay, type Instant } from '../domain/time.ts';
import { decodeGrant } from '../format/grant-v1.ts';
import { delegatingGrants } from '../sealing/grants.ts';
import { fewDays } from './archive-fit.ts';
import type { PresentUser } from './change-environment.ts';
import { counted, daysLeftText, type Checks, type Note } from './checks.ts';
import { judgeGrants, type UsableGrant } from './choose-grant.ts';
import { endOf } from './export-plan.ts';
import { grantsHere } from './grants-context.ts';
import type { Call } from './operation.ts';
import { isRegistered } from './register.ts';

/** Makes the checks of a source. */
export async function testSource(call: Call, user: PresentUser, checks: Checks): Promise<void> {
  const now = call.ports.clock();
  await checks.attempt(
    'Credentials',
    (credentials) => describeCredentials(credentials, now),
    () => {
      const { credentials } = user.present.publicPart;
      if (credentials.length === 0) throw fail('CredentialNotFound', { credential: 'at all' });
      return credentials;
    },
  );
  checks.pass('Features', describeFeatures(user.present.publicPart, now));
  await testGrants(call, user, checks);
  testDelegation(user, checks);
  await testRegistration(call, user, checks);
}

function describeCredentials(credentials: readonly Credential[], now: Instant): string | Note {
  const waiting = credentials.filter(({ certificate }) => certificate === undefined).length;
  const ended = credentials.filter((credential) => isEnded(credential, now)).length;
  const count = `It holds ${counted(credentials.length, 'credential')}${waiting === 0 ? '' : `, ${waiting} of them still waiting for a certificate`}.`;
  if (ended < credentials.length - waiting || ended === 0) return count;
  return {
    message: `${count} Every certificate has ended.`,
    hint: 'They travel and still decrypt; add a valid certificate with Add-SPMigrationCredential or New-SPMigrationCredential for new mail and files.',
  };
}

function isEnded(credential: Credential, now: Instant): boolean {
  const end = endOf(credential);
  return end !== undefined && end < now;
}

/** Which credential each feature uses, and what a person would miss on the destination. */
function describeFeatures(
  { credentials, features: assigned, proposed }: PublicPart,
  now: Instant,
): string | Note {
  const hint = 'Enable-SPMigrationFeature lets a feature use a credential.';
  const ended = credentials.filter(
    (credential) => isEnded(credential, now) && activeFeatures(credential.id, assigned).length > 0,
  );
  const used = features.filter((feature) => assigned[feature] !== undefined);
  const waiting = features.filter(
    (feature) => assigned[feature] === undefined && proposed[feature] !== undefined,
  );
  if (ended.length > 0)
    return {
      message: `Active with a certificate that has ended: ${ended.map(({ label }) => label).join(', ')}.`,
      hint,
    };
  if (waiting.length > 0) return { message: `Not enabled here yet: ${waiting.join(', ')}.`, hint };
  if (used.length === 0) return { message: 'No feature uses a credential.', hint };
  return `A credential is active for ${used.join(', ')}.`;
}

async function testGrants(call: Call, user: PresentUser, checks: Checks): Promise<void> {
  const now = call.ports.clock();
  await checks.attempt(
    'Grants',
    (usable) => describeGrants(usable, now),
    async () => {
      const here = await grantsHere(call, []);
      const { usable, refused } = judgeGrants(call, user, here, here.grants);
      if (usable.length > 0) return usable;
      throw (
        refused[0] ??
        fail('DestinationNotAuthorized', {
          account: user.platform.account.name,
          destination: 'any computer',
          reason: 'no grant lies here (one elsewhere can be named with -GrantPath)',
        })
      );
    },
  );
}

/** One destination once: the grant that permits it longest, as an export would choose it. */
function describeGrants(usable: readonly UsableGrant[], now: Instant): string | Note {
  const longest = new Map<string, UsableGrant>();
  for (const one of usable) {
    const { destinationFingerprint } = one.found.signed.grant;
    if (!longest.has(destinationFingerprint)) longest.set(destinationFingerprint, one);
  }
  const texts = [...longest.values()].map(({ found: { signed } }) => {
    const { destinationComputer, notAfter } = signed.grant;
    return `${destinationComputer} until ${formatInstant(notAfter)} (${daysLeftText(notAfter - now)})`;
  });
  const message = `These keys may move to ${texts.join('; ')}.`;
  const endsSoon = [...longest.values()].some(
    ({ found: { signed } }) => signed.grant.notAfter - now < fewDays * secondsPerDay,
  );
  return endsSoon ? { message, hint: 'Ask the owner to grant again what ends soon.' } : message;
}

/** A key that came from elsewhere moves on only where the owner there let the owner here decide (ruling 1). */
function testDelegation({ platform, present }: PresentUser, checks: Checks): void {
  const { grants, rootAuthority } = present.publicPart;
  const { nonce } = present.decoded.header;
  const held = grants.map((bytes, index) =>
    decodeGrant(bytes, `${present.stored.path} (grant ${index + 1})`),
  );
  const key = { name: present.basicUserKey, nonce };
  const earlier = delegatingGrants(held, key, rootAuthority, platform.settings.authorityKey);
  if (earlier === undefined) {
    checks.pass('Authority over the key', {
      message:
        'The authority of this platform may not let these keys move on: they came here without that permission.',
      hint: 'Ask the owner of the computer they came from to grant again, without -NoOnward, and import once more.',
    });
  } else if (earlier.length === 0) {
    checks.pass('Authority over the key', 'It is the authority of this platform.');
  } else
    checks.pass(
      'Authority over the key',
      `It was delegated to the authority of this platform by ${counted(earlier.length, 'grant')}.`,
    );
}

/** Without one, the owner's grants for this key can neither delegate it nor approve it by name. */
async function testRegistration(
  call: Call,
  { platform, present }: PresentUser,
  checks: Checks,
): Promise<void> {
  await checks.attempt(
    'Registration',
    (isThere: boolean): string | Note =>
      isThere
        ? 'The owner of this platform knows this key.'
        : {
            message: 'The owner of this platform does not know this key: its registration is missing.',
            hint: 'Initialize-SPMigrationUser leaves it again; nothing else is changed by that.',
          },
    () => isRegistered(call, platform, present),
  );
}
