/**
 * Every operation of the registry that changes something, with a situation in which it has something to do: parameters, secrets
 * and what was done before, on simulated computers. What holds for all changes (interruption, planning) is tested by walking
 * this table; an operation that is missing in it fails those tests.
 */
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { sealPkcs12 } from '../../core/src/crypto/pkcs12.ts';
import { requirePlatform } from '../../core/src/operations/platform-context.ts';
import { operations, type OperationName, type ParameterValues } from '../../core/src/operations/registry.ts';
import type { SecretName } from '../../core/src/operations/secrets.ts';
import type {
  AccessResult,
  ArchiveResult,
  AttestationResult,
  ChallengeResult,
  CredentialResult,
  IdentityResult,
  RevocationResult,
} from '../../core/src/operations/results.ts';
import { issueCertificate, makeCertificate } from './certificates.ts';
import type { Computer } from './computer.ts';
import type { FailingDisk } from './failing-disk.ts';
import { emptyDisk, share, simulate, tpmOf, type GiveChip, type Simulation } from './simulation.ts';
import { createSeededRandom } from './surroundings.ts';
import { giveTpm } from './tpm-double.ts';

export const password = 'Basic User Passwort äöü 1';
export const newPassword = 'ein neues Passwort äöü 2';
export const otherPassword = 'Basic User Password of B 3';
export const ownerPassword = 'Owner Password 4';
export const newOwnerPassword = 'another Owner Password 5';
const pfxPassword = 'Password of the PFX 6';

/** Every password that may open something on the simulated computers. */
export const passwords: readonly string[] = [
  password,
  newPassword,
  otherPassword,
  ownerPassword,
  newOwnerPassword,
];
/** What must be in no file. */
export const secretTexts: readonly string[] = [...passwords, pfxPassword];

type SecretTexts = Readonly<Partial<Record<SecretName, string>>>;

export interface Change {
  readonly operation: OperationName;
  /** What it is, where the operation's name does not say it. */
  readonly as?: string;
  readonly on?: 'a' | 'b' | 'c';
  /** What was done before. Answers the parameters that depend on it. */
  readonly before?: (computers: Simulation) => Promise<ParameterValues>;
  readonly parameters?: ParameterValues;
  readonly secrets?: SecretTexts;
  /** Parameters of the repetition after an interruption, where they are others than these and `overwrite`. */
  readonly again?: ParameterValues;
  /** It goes through the quarantines file by file before it changes the environment (docs/spec/environment-store.md). */
  readonly quarantineFirst?: boolean;
}

/** A change that can be made: the disk before it, and its parameters. */
export interface PreparedChange {
  readonly operation: OperationName;
  readonly on: 'a' | 'b' | 'c';
  readonly parameters: ParameterValues;
  readonly again: ParameterValues;
  readonly secrets: SecretTexts;
  readonly quarantineFirst: boolean;
  /** The computers with their chips. */
  readonly simulate: typeof simulate;
  /** The disk before the change, as often as wanted. */
  readonly fresh: () => FailingDisk;
}

const asOwner = { ownerPassword };
const asUser = { password };

const credentialOf = async (computer: Computer, label: string): Promise<string> => {
  const all = await computer.run<CredentialResult>('credential-list', { includeSetAside: true });
  const found = all.find((one) => one.label === label);
  if (found === undefined) throw new Error(`there is no credential ${label}`);
  return found.credential;
};

const newCredential = (computer: Computer, subject: string): Promise<CredentialResult> =>
  computer.one<CredentialResult>('credential-new', { subject, algorithm: 'P-256' }, asUser);

const archiveFrom = async ({ a }: Simulation, name: string): Promise<string> => {
  const path = `${share}/${name}`;
  const archive = await a.one<ArchiveResult>('export', { path, destination: 'PC-B' }, asUser);
  return archive.path;
};

/** PC-B has what PC-A had; PC-A has one credential more, in a second archive. */
const movedOnce = async (computers: Simulation): Promise<string> => {
  await computers.b.run('import', { path: await archiveFrom(computers, 'first.sparc') }, asUser);
  await newCredential(computers.a, 'Third');
  return archiveFrom(computers, 'second.sparc');
};

/** PC-B has an environment of its own, with one credential. */
const ownOnB = async ({ b }: Simulation): Promise<void> => {
  await b.run('user-initialize', {}, { password: otherPassword });
  await b.run('credential-new', { subject: 'Of B', algorithm: 'P-256' }, { password: otherPassword });
};

const replacedOnB = async (computers: Simulation): Promise<void> => {
  await ownOnB(computers);
  const path = await archiveFrom(computers, 'first.sparc');
  await computers.b.run('import', { path, allowReplace: true }, asUser);
};

const quarantinesOf = async ({ ports }: Computer): Promise<readonly string[]> => {
  const platform = await requirePlatform(ports);
  const store = ports.environment(platform.ids.platformId, platform.ids.storageKeyName);
  return (await store.quarantine()).map(({ id }) => id);
};

/** PC-C with a TPM; its identity lies in the share. */
const identityOfTpm = async ({ c }: Simulation): Promise<string> => {
  giveTpm(c, tpmOf('PC-C'));
  await c.run('platform-initialize', { chip: 'Tpm2' }, asOwner);
  const { path } = await c.one<IdentityResult>('identity-export', { path: share });
  return path;
};

export const changes: readonly Change[] = [
  {
    operation: 'authority-new',
    parameters: { path: share, backupPath: share },
    secrets: asOwner,
  },
  {
    operation: 'authority-password',
    parameters: { newBackupPath: share },
    secrets: { ownerPassword, newPassword: newOwnerPassword },
  },
  {
    operation: 'authority-password',
    as: 'of a fleet',
    before: async ({ a }) => {
      const { path } = await a.one<{ path: string }>('authority-new', { path: share }, asOwner);
      return { authorityPath: path };
    },
    secrets: { ownerPassword, newPassword: newOwnerPassword },
  },
  {
    operation: 'platform-initialize',
    on: 'c',
    parameters: { backupPath: share },
    secrets: asOwner,
    again: {},
  },
  {
    operation: 'platform-initialize',
    as: 'with the authority of a fleet',
    on: 'c',
    before: async ({ a }) => {
      const { publicPath } = await a.one<{ publicPath: string }>('authority-new', { path: share }, asOwner);
      return { authorityPath: publicPath };
    },
  },
  {
    operation: 'platform-initialize',
    as: 'again, after its chip lost the storage key',
    on: 'c',
    before: async ({ a, c, disk }) => {
      const { publicPath } = await a.one<{ publicPath: string }>('authority-new', { path: share }, asOwner);
      await c.run('platform-initialize', { authorityPath: publicPath });
      await disk.remove(`${c.home}/platform/public/storage-key`);
      return {};
    },
  },
  { operation: 'identity-export', parameters: { path: share } },
  {
    operation: 'challenge-new',
    before: async (computers) => ({ path: await identityOfTpm(computers) }),
    secrets: asOwner,
  },
  {
    operation: 'attestation-export',
    on: 'c',
    before: async (computers) => {
      const identity = await identityOfTpm(computers);
      const { path } = await computers.a.one<ChallengeResult>('challenge-new', { path: identity }, asOwner);
      return { path: share, challengePath: path };
    },
  },
  {
    operation: 'access-grant',
    as: 'to an attested TPM',
    before: async (computers) => {
      const path = await identityOfTpm(computers);
      const { a, c } = computers;
      const challenge = await a.one<ChallengeResult>('challenge-new', { path }, asOwner);
      const answer = await c.one<AttestationResult>('attestation-export', {
        path: share,
        challengePath: challenge.path,
      });
      return {
        path,
        attestationPath: answer.path,
        endorsementKeyFingerprint: challenge.endorsementFingerprint,
      };
    },
    secrets: asOwner,
  },
  {
    operation: 'access-grant',
    before: async ({ b }) => {
      const { path, fingerprint } = await b.one<IdentityResult>('identity-export', {
        path: share,
        overwrite: true,
      });
      return { path, fingerprint };
    },
    secrets: asOwner,
  },
  {
    operation: 'access-revoke',
    before: async ({ a }) => {
      const { serial } = await a.one<AccessResult>('access-list');
      return { serial, outputPath: `${share}/list.sprevoked` };
    },
    secrets: asOwner,
  },
  {
    operation: 'revocation-add',
    on: 'b',
    before: async ({ a }) => {
      const { serial } = await a.one<AccessResult>('access-list');
      const outputPath = `${share}/list.sprevoked`;
      const { path } = await a.one<RevocationResult>('access-revoke', { serial, outputPath }, asOwner);
      return { path };
    },
  },
  { operation: 'user-initialize', on: 'b', secrets: asUser },
  {
    operation: 'user-initialize',
    as: 'where the registration was lost',
    before: async ({ a, disk }) => {
      const folder = `${a.home}/platform/users`;
      for (const name of await disk.list(folder)) await disk.remove(`${folder}/${name}`);
      return {};
    },
  },
  {
    operation: 'user-password',
    on: 'b',
    before: async (computers) => {
      await replacedOnB(computers);
      await newCredential(computers.b, 'Later');
      return {};
    },
    secrets: { password, newPassword },
  },
  { operation: 'user-new-key', secrets: { password, newPassword } },
  { operation: 'user-new-key', as: 'under the same password', secrets: asUser },
  { operation: 'user-remove' },
  { operation: 'credential-new', parameters: { subject: 'New', algorithm: 'P-256' }, secrets: asUser },
  {
    operation: 'credential-new',
    as: 'as a request',
    parameters: { subject: 'New', algorithm: 'P-256', requestPath: `${share}/new.csr` },
    secrets: asUser,
  },
  {
    operation: 'credential-add',
    before: async ({ disk }) => {
      const { certificate, privateKey } = await makeCertificate('CN=Added');
      using text = new SecretBytes(utf8(pfxPassword));
      const entry = { privateKey: privateKey(), certificate, chain: [], friendlyName: 'Added' };
      const path = `${share}/added.pfx`;
      await disk.create(path, sealPkcs12([entry], text, createSeededRandom('pfx')), 0o600);
      return { path };
    },
    secrets: { password, pfxPassword },
  },
  {
    operation: 'credential-complete',
    before: async ({ a, disk }) => {
      const requestPath = `${share}/new.csr`;
      await a.run('credential-new', { subject: 'New', algorithm: 'P-256', requestPath }, asUser);
      const request = new TextDecoder().decode((await disk.read(requestPath, 100_000)).bytes);
      const issuer = await makeCertificate('CN=Issuer', { authority: true });
      const path = `${share}/new.cer`;
      await disk.create(path, await issueCertificate(request, issuer), 0o644);
      return { path };
    },
    secrets: asUser,
  },
  {
    operation: 'credential-remove',
    before: async ({ a }) => ({ credential: await credentialOf(a, 'Second') }),
    secrets: asUser,
  },
  {
    operation: 'credential-remove',
    as: 'for good, also from quarantine',
    on: 'b',
    before: async (computers) => {
      const { b } = computers;
      // Of the two environments in quarantine the older one has the password of the present one.
      await b.run('import', { path: await archiveFrom(computers, 'earlier.sparc') }, asUser);
      await b.run('user-remove');
      await replacedOnB(computers);
      return { credential: await credentialOf(b, 'Second') };
    },
    parameters: { permanent: true },
    secrets: asUser,
    quarantineFirst: true,
  },
  {
    operation: 'credential-installed',
    before: async ({ a }) => {
      const [first] = await a.run<CredentialResult>('credential-list');
      return { credential: first?.credential ?? '', thumbprint: first?.thumbprint ?? '' };
    },
  },
  {
    operation: 'credential-uninstalled',
    before: async ({ a }) => {
      const [first] = await a.run<CredentialResult>('credential-list');
      const thumbprint = first?.thumbprint ?? '';
      await a.run('credential-installed', { credential: first?.credential ?? '', thumbprint });
      return { thumbprint: [thumbprint] };
    },
  },
  {
    operation: 'feature-enable',
    before: async ({ a }) => ({ credential: await credentialOf(a, 'Second') }),
    parameters: { feature: 'Efs' },
    secrets: asUser,
  },
  { operation: 'feature-disable', parameters: { feature: 'SecureEmail' }, secrets: asUser },
  { operation: 'export', parameters: { path: `${share}/made.sparc`, destination: 'PC-B' }, secrets: asUser },
  {
    operation: 'import',
    as: 'that installs',
    on: 'b',
    before: async (computers) => ({ path: await archiveFrom(computers, 'first.sparc'), receiptPath: share }),
    secrets: asUser,
  },
  {
    operation: 'import',
    as: 'that merges',
    on: 'b',
    before: async (computers) => ({ path: await movedOnce(computers), receiptPath: share }),
    secrets: asUser,
  },
  {
    operation: 'import',
    as: 'that merges under a key that continues the one here',
    on: 'b',
    before: async (computers) => {
      const { a, b } = computers;
      await b.run('import', { path: await archiveFrom(computers, 'first.sparc') }, asUser);
      await a.run('user-new-key', {}, { password, newPassword });
      const path = `${share}/second.sparc`;
      await a.run('export', { path, destination: 'PC-B' }, { password: newPassword });
      return { path };
    },
    secrets: { password: newPassword, currentPassword: password },
  },
  {
    operation: 'import',
    as: 'that replaces',
    on: 'b',
    before: async (computers) => {
      await ownOnB(computers);
      return { path: await archiveFrom(computers, 'first.sparc'), receiptPath: share };
    },
    parameters: { allowReplace: true },
    secrets: asUser,
  },
  { operation: 'undo', as: 'of the last change', secrets: asUser },
  {
    operation: 'undo',
    as: 'to what was replaced',
    on: 'b',
    before: async (computers) => {
      await replacedOnB(computers);
      const [quarantine] = await quarantinesOf(computers.b);
      return { quarantine: quarantine ?? '' };
    },
    secrets: { password: otherPassword },
  },
  {
    operation: 'undo',
    as: 'of a removal',
    before: async ({ a }) => {
      const credential = await credentialOf(a, 'Second');
      await a.run('credential-remove', { credential }, asUser);
      return { credential };
    },
    secrets: asUser,
  },
  {
    operation: 'archive-remove',
    before: async (computers) => ({ path: await archiveFrom(computers, 'first.sparc') }),
  },
];

/** The operations of the registry that change something. */
export const changers: readonly OperationName[] = (Object.keys(operations) as OperationName[]).filter(
  (name) => operations[name].kind === 'changer',
);

/** How a change is called in a test's title. */
export const titleOf = ({ operation, as }: Change): string =>
  as === undefined ? operation : `${operation} ${as}`;

const bases = new Map<GiveChip | undefined, Promise<FailingDisk>>();

/** PC-A with a person who has two credentials and a grant for PC-B; PC-B without a person; PC-C not initialized. */
async function makeBase(giveChip?: GiveChip): Promise<FailingDisk> {
  const disk = await emptyDisk();
  const { a, b } = await simulate(disk, 1, 'base', giveChip);
  await a.run('platform-initialize', {}, asOwner);
  await b.run('platform-initialize', {}, asOwner);
  await a.run('user-initialize', {}, asUser);
  const { credential } = await newCredential(a, 'First');
  await a.run('feature-enable', { feature: 'SecureEmail', credential }, asUser);
  await newCredential(a, 'Second');
  const { path, fingerprint } = await b.one<IdentityResult>('identity-export', { path: share });
  const unattested = giveChip === undefined ? {} : { allowUnattested: true };
  await a.run('access-grant', { path, fingerprint, ...unattested }, asOwner);
  return disk;
}

/** Brings the computers into the situation of a change; with chips of their own where `giveChip` is given. */
export async function prepareChange(change: Change, giveChip?: GiveChip): Promise<PreparedChange> {
  const base = bases.get(giveChip) ?? makeBase(giveChip);
  bases.set(giveChip, base);
  const disk = (await base).restart(() => true);
  const found = await change.before?.(await simulate(disk, 2, 'before', giveChip));
  const parameters = { ...change.parameters, ...found };
  const repeated = 'overwrite' in operations[change.operation].parameters ? { overwrite: true } : {};
  return {
    operation: change.operation,
    on: change.on ?? 'a',
    parameters,
    again: { ...(change.again ?? parameters), ...repeated },
    secrets: change.secrets ?? {},
    quarantineFirst: change.quarantineFirst ?? false,
    simulate: (of, pid, seed, other) => simulate(of, pid, seed, other ?? giveChip),
    fresh: () => disk.restart(() => true),
  };
}
