/**
 * Migrations between chips of every kind, through the operations: a TPM with an ECC or an RSA storage key, and the software
 * chip. What arrives is whole and works, what the bus carries holds no secret, and what it costs is counted.
 */
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { utf8 } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { deriveRoot } from '../../core/src/crypto/kdf.ts';
import type { Call } from '../../core/src/operations/operation.ts';
import { requirePlatform } from '../../core/src/operations/platform-context.ts';
import type {
  CredentialResult,
  IdentityResult,
  ImportResult,
  StatusResult,
} from '../../core/src/operations/results.ts';
import { requireUser } from '../../core/src/operations/user-context.ts';
import { readArchive } from '../../core/src/sealing/archive.ts';
import { UserKeys } from '../../core/src/sealing/user-keys.ts';
import { CC } from '../../core/src/tpm2/constants.ts';
import { hasSwtpm, type Exchange } from '../testkit/swtpm.ts';
import {
  Computers,
  credentialWorks,
  type ComputerWithChip,
  type KindOfChip,
} from '../testkit/tpm-computers.ts';
import { password } from '../testkit/world.ts';

vi.mock(import('../../core/src/crypto/kdf.ts'), async (original) =>
  (await import('../testkit/memo-kdf.ts')).cheapKdf(original),
);

const newPassword = 'Another Password 3';

/** A person with two credentials, one of them used for e-mail. RSA keys take long to make, and one test shows them. */
async function settle(
  { computer }: ComputerWithChip,
  second: 'P-256' | 'RSA-3072' = 'P-256',
): Promise<readonly string[]> {
  await computer.run('user-initialize', {}, { password });
  const made: string[] = [];
  for (const [subject, algorithm] of [
    ['Anna Müller', 'P-256'],
    ['Anna (archive)', second],
  ] as const) {
    const one = await computer.one<CredentialResult>('credential-new', { subject, algorithm }, { password });
    made.push(one.credential);
  }
  const [credential = ''] = made;
  await computer.run('feature-enable', { feature: 'SecureEmail', credential }, { password });
  return made;
}

/** Every computer of a test, to see at its end that nothing stayed loaded. */
const met: ComputerWithChip[] = [];
async function noneLeftLoaded(): Promise<void> {
  for (const { name, tpm } of met) expect(await tpm?.leftLoaded(), name).toSatisfy(isEmpty);
}
const isEmpty = (handles: readonly number[] | undefined): boolean => (handles ?? []).length === 0;

async function make(computers: Computers, name: string, kind: KindOfChip): Promise<ComputerWithChip> {
  const one = await computers.computer(name, kind);
  met.push(one);
  return one;
}

const kinds: readonly KindOfChip[] = ['ECC', 'RSA', 'software'];
const pairs = kinds
  .flatMap((from) => kinds.map((to) => ({ from, to })))
  .filter(({ from, to }) => from !== 'software' || to !== 'software');

describe.skipIf(!hasSwtpm())('migrations with TPMs', { timeout: 60_000 }, () => {
  afterEach(() => {
    met.length = 0;
  });

  it.each(pairs)('$from to $to, a password change there, and back as a merge', async ({ from, to }) => {
    const computers = await Computers.make();
    const a = await make(computers, 'PC-A', from);
    const b = await make(computers, 'PC-B', to);
    expect(await b.computer.one<StatusResult>('status')).toMatchObject({
      chip: to === 'software' ? 'software' : 'tpm2',
      chipProblem: null,
    });
    const credentials = await settle(a, from === to ? 'RSA-3072' : 'P-256');
    expect(await computers.move(a, b)).toMatchObject({ case: 'Install', featuresProposed: ['SecureEmail'] });
    const there = await b.computer.run<CredentialResult>('credential-list');
    expect(there.map(({ credential }) => credential).sort()).toEqual([...credentials].sort());
    const here = await a.computer.run<CredentialResult>('credential-list');
    expect(there).toMatchObject(here.map(({ credential, thumbprint }) => ({ credential, thumbprint })));
    for (const credential of credentials) await credentialWorks(b, credential);

    await b.computer.run('user-password', {}, { password, newPassword });
    const added = await b.computer.one<CredentialResult>(
      'credential-new',
      { subject: 'made at B', algorithm: 'P-256' },
      { password: newPassword },
    );
    await computers.grant(b, a);
    const path = await computers.export(b, a, newPassword);
    const back = await a.computer.one<ImportResult>(
      'import',
      { path },
      { password: newPassword, currentPassword: password },
    );
    expect(back).toMatchObject({ case: 'Merge', unchanged: false });
    // What was here stays under this computer's password.
    await credentialWorks(a, added.credential);
    await noneLeftLoaded();
  });

  it.each([
    { chips: ['RSA', 'ECC', 'software', 'RSA'] },
    { chips: ['software', 'ECC', 'RSA', 'ECC'] },
    { chips: ['ECC', 'RSA', 'ECC', 'RSA'] },
  ] as const)('goes on under each owner in turn, with few commands: $chips', async ({ chips }) => {
    const computers = await Computers.make();
    const hops: ComputerWithChip[] = [];
    for (const [index, kind] of chips.entries()) {
      hops.push(await make(computers, `PC-${String(index + 1)}`, kind));
    }
    const [first, last] = [hops[0], hops.at(-1)];
    if (first === undefined || last === undefined) throw new Error('no computer');
    const [credential = ''] = await settle(first);
    for (const [delegations, to] of hops.slice(1).entries()) {
      const from = hops[delegations];
      if (from === undefined) throw new Error('no computer before');
      await computers.grant(from, to);
      for (const { bus } of hops) bus.length = 0;
      const path = await computers.export(from, to);
      expect(commandsOf(handOver(from.bus)).length).toBeLessThanOrEqual(12 + 4 * delegations);
      expect(from.bus.length).toBeLessThanOrEqual(24 + 4 * delegations);
      expect(await to.computer.one('import', { path }, { password })).toMatchObject({ case: 'Install' });
      expect(to.bus.length).toBeLessThanOrEqual(14);
      if (to.tpm !== undefined) expect(commandsOf(to.bus)).toContain('Import');
    }
    expect(await credentialWorks(last, credential)).toBe(await credentialWorks(first, credential));
    await noneLeftLoaded();
  });

  it('sends no command to a TPM for what needs none', async () => {
    const computers = await Computers.make();
    const a = await make(computers, 'PC-A', 'ECC');
    await settle(a);
    a.bus.length = 0;
    const { path } = await a.computer.one<IdentityResult>('identity-export', { path: computers.share });
    expect(a.bus.length).toBeGreaterThan(0);
    a.bus.length = 0;
    for (const name of ['credential-list', 'feature-list', 'history', 'access-list'] as const) {
      await a.computer.run(name);
    }
    await a.computer.run('identity-read', { path });
    expect(commandsOf(a.bus)).toEqual([]);
  });

  it('lets no secret cross the bus', async () => {
    const computers = await Computers.make();
    const a = await make(computers, 'PC-A', 'ECC');
    const b = await make(computers, 'PC-B', 'RSA');
    await settle(a);
    await computers.grant(a, b);
    const path = await computers.export(a, b);
    await b.computer.run('import', { path }, { password });
    await b.computer.run('user-password', {}, { password, newPassword });
    const traffic = [a, b].map(({ bus }) => everything(bus));

    const read = readArchive(await a.computer.ports.archives.unpack(await readFile(path), path), path);
    const secrets = [...(await secretsOf(a, password)), ...(await secretsOf(b, newPassword))];
    using typed = new SecretBytes(utf8(password));
    using root = await deriveRoot(typed, read.manifest.passwordSalt);
    using keys = new UserKeys(root);
    using innerKey = keys.innerKey(read.manifest.archive);
    secrets.push(['inner key', copyOf(innerKey)]);
    expect(secrets.map(([, bytes]) => bytes.length).filter((length) => length < 16)).toEqual([]);
    for (const [what, bytes] of secrets) {
      for (const bus of traffic) expect(bus.includes(bytes), what).toBe(false);
    }
    // The same search finds what is no secret.
    for (const bus of traffic) expect(bus.includes(read.basicUserKey)).toBe(true);
  });

  it('hands over 50 times in a row', async () => {
    const computers = await Computers.make();
    const a = await make(computers, 'PC-A', 'ECC');
    const b = await make(computers, 'PC-B', 'RSA');
    const [credential = ''] = await settle(a);
    await computers.grant(a, b);
    for (let time = 1; time <= 50; time++) {
      const path = await computers.export(a, b);
      const result = await b.computer.one<ImportResult>('import', { path }, { password });
      expect(result.case, String(time)).toBe(time === 1 ? 'Install' : 'Merge');
    }
    await credentialWorks(b, credential);
    await noneLeftLoaded();
  });
});

/** Names of the commands in their order. */
function commandsOf(exchanges: readonly Exchange[]): readonly string[] {
  const names = new Map(Object.entries(CC).map(([name, code]) => [code as number, name]));
  return exchanges.map(({ command }) => {
    const code = new DataView(command.buffer, command.byteOffset).getUint32(6);
    return names.get(code) ?? code.toString(16);
  });
}

/** From the start of the policy session to what ends it. */
function handOver(exchanges: readonly Exchange[]): readonly Exchange[] {
  const names = commandsOf(exchanges);
  const select = names.indexOf('PolicyDuplicationSelect');
  const duplicate = names.indexOf('Duplicate');
  // The session before, and the new parent's flush after it. Nothing where no TPM hands over.
  return select === -1 ? [] : exchanges.slice(select - 1, duplicate + 2);
}

function everything(exchanges: readonly Exchange[]): Buffer {
  return Buffer.concat(exchanges.flatMap(({ command, response }) => [command, response]));
}

/** What opens the environment that is here now, by the name of each. */
async function secretsOf(
  { name, computer }: ComputerWithChip,
  withPassword: string,
): Promise<[what: string, bytes: Uint8Array][]> {
  const platform = await requirePlatform(computer.ports);
  const { present } = await requireUser({ ports: computer.ports } as Call, platform);
  const { header } = present.decoded;
  using typed = new SecretBytes(utf8(withPassword));
  using root = await deriveRoot(typed, header.passwordSalt);
  using keys = new UserKeys(root);
  const blob = { public: header.basicUserKey, private: header.basicUserKeyPrivate };
  const loaded = await platform.chip.loadBasicUserKey(blob, keys.basicUserAuth);
  using vaultKey = await loaded.openVaultKey(header.vaultKey, keys.vaultAuth);
  await loaded.dispose();
  return [
    [`${name}: password`, utf8(withPassword)],
    [`${name}: root`, copyOf(root)],
    [`${name}: authValue of the key`, copyOf(keys.basicUserAuth)],
    [`${name}: authValue of the vault key`, copyOf(keys.vaultAuth)],
    [`${name}: at-rest key`, copyOf(keys.atRest)],
    [`${name}: vault key`, copyOf(vaultKey)],
  ];
}

function copyOf(secret: SecretBytes): Uint8Array {
  return new Uint8Array(secret.reveal);
}
