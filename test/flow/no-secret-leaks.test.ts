/**
 * No secret leaks (design/3, "Threats"; issue, "Separation"): a whole migration through the real executable, with secrets
 * that occur nowhere else, then a search for each of them, raw and in every usual encoding, in every file below all homes
 * and the share, in the arguments and environments of the processes, and in everything that they said.
 *
 * Leaves out memory, and .NET's certificate store on Linux, which only the module uses.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { toHex, utf8 } from '../../core/src/bytes/bytes.ts';
import { sealPkcs12 } from '../../core/src/crypto/pkcs12.ts';
import type {
  AccessResult,
  ArchiveResult,
  AuthorityResult,
  CredentialResult,
  IdentityResult,
  ImportResult,
} from '../../core/src/operations/results.ts';
import { makeChain } from '../testkit/certificates.ts';
import { Conversation, type WireRequest } from '../testkit/conversation.ts';
import { builtExecutable } from '../testkit/executable.ts';
import { createSeededRandom } from '../testkit/surroundings.ts';
import { makeTemporaryFolder } from '../testkit/temporary-folder.ts';

const secrets = {
  password: 'Pässwort "of the" user \\ 7f3a91',
  ownerA: 'Owner of A: Schlüssel "c4" \\ 9b1e',
  ownerB: 'Owner of B: Schlüssel "d5" \\ 0c2f',
  fleet: 'Owner of the fleet: "e6" \\ 1d30',
  pfxPassword: 'PFX-Wörtchen "a8" \\ 55aa66',
  newPassword: 'Änother "password" of B \\ 3c3c',
} as const;

/** Shortest piece of a key whose occurrence cannot be chance. */
const pieceBytes = 24;

let executable: string;
beforeAll(async () => {
  executable = await builtExecutable();
});

/** Everything that must not be found, by what it is. */
let needles: Map<string, readonly Buffer[]>;
const seen: { where: string; content: Buffer }[] = [];
afterEach(() => {
  seen.length = 0;
});

it('through files, arguments, environments, records or messages', { timeout: 120_000 }, async () => {
  const folder = await makeTemporaryFolder();
  const share = join(folder, 'share');
  await mkdir(share, { mode: 0o700 });
  const { person, authority } = await makeChain('RSA-2048');
  using pkcs8 = person.privateKey();
  const oneTimeSecret = utf8(toHex(createSeededRandom('one time')(32)));
  const pfx = sealPkcs12(
    [
      {
        privateKey: person.privateKey(),
        certificate: person.certificate,
        chain: [authority.certificate],
        friendlyName: 'Anna',
      },
    ],
    new SecretBytes(utf8(secrets.pfxPassword)),
    createSeededRandom('pfx'),
  );
  const pfxPath = join(share, 'anna.pfx');
  await writeFile(pfxPath, pfx);
  needles = new Map([
    ...Object.entries(secrets).map(([name, text]) => [name, encodingsOfText(text)] as const),
    ['one-time secret', encodingsOfBytes(oneTimeSecret)],
    ...piecesOf(pkcs8.reveal).map(
      (piece, index) => [`private key, piece ${String(index)}`, encodingsOfBytes(piece)] as const,
    ),
  ]);

  const homes = new Map<string, Conversation>();
  const on = async (name: string, request: WireRequest) => {
    let conversation = homes.get(name);
    if (conversation === undefined) {
      const home = join(folder, name);
      await mkdir(home, { mode: 0o700 });
      conversation = new Conversation(executable, { SPMIGRATION_HOME: home, HOME: home });
      homes.set(name, conversation);
    }
    const records = await conversation.ask(request);
    await lookAt(conversation.pid, name);
    return records;
  };
  const result = async <Value>(name: string, request: WireRequest): Promise<Value> => {
    const records = await on(name, request);
    const found = records.find(({ t }) => t === 'result');
    if (found === undefined) throw new Error(`no result: ${JSON.stringify(records)}`);
    return found.value as Value;
  };
  const code = async (name: string, request: WireRequest): Promise<unknown> =>
    (await on(name, request)).find(({ t }) => t === 'error')?.code;
  const { password } = secrets;

  // The whole of it: two local owners and a fleet's, a PFX, a new key, wrong passwords, grant, export, import, hand-over.
  await result('PC-A', {
    cmd: 'platform-initialize',
    params: { backupPath: join(share, 'a.spownerbackup') },
    secrets: { ownerPassword: secrets.ownerA },
  });
  await result('PC-B', { cmd: 'platform-initialize', secrets: { ownerPassword: secrets.ownerB } });
  await result<AuthorityResult>('PC-B', {
    cmd: 'authority-new',
    params: { path: share },
    secrets: { ownerPassword: secrets.fleet },
  });
  await result('PC-A', { cmd: 'user-initialize', secrets: { password } });
  const added = await result<CredentialResult>('PC-A', {
    cmd: 'credential-add',
    params: { path: pfxPath },
    secrets: { password, pfxPassword: secrets.pfxPassword },
  });
  await result('PC-A', {
    cmd: 'credential-new',
    params: { subject: 'Anna', algorithm: 'P-256', requestPath: share },
    secrets: { password },
  });
  await result('PC-A', {
    cmd: 'feature-enable',
    params: { feature: 'SecureEmail', credential: added.credential },
    secrets: { password },
  });
  const identity = await result<IdentityResult>('PC-B', { cmd: 'identity-export', params: { path: share } });
  expect(
    await code('PC-A', {
      cmd: 'access-grant',
      params: { path: identity.path },
      secrets: { ownerPassword: secrets.fleet },
    }),
  ).toBe('OwnerPasswordRejected');
  await result<AccessResult>('PC-A', {
    cmd: 'access-grant',
    params: { path: identity.path, fingerprint: identity.fingerprint },
    secrets: { ownerPassword: secrets.ownerA },
  });
  const exporting = { cmd: 'export', params: { path: share, destination: 'PC-B' } };
  expect(await code('PC-A', { ...exporting, secrets: { password: secrets.newPassword } })).toBe(
    'PasswordRejected',
  );
  const archive = await result<ArchiveResult>('PC-A', { ...exporting, secrets: { password } });
  const importing: WireRequest = { cmd: 'import', params: { path: archive.path, enableFeature: true } };
  expect(await code('PC-B', { ...importing, secrets: { password: secrets.newPassword } })).toBe(
    'PasswordRejected',
  );
  const imported = await result<ImportResult>('PC-B', { ...importing, secrets: { password } });
  expect(imported.featuresActive).toEqual(['SecureEmail']);
  const handedOver = await on('PC-B', {
    cmd: 'credential-install',
    params: { credential: added.credential, allowUnprotectedStore: true },
    secrets: { password, oneTimeSecret },
  });
  expect(handedOver).toMatchObject([{ t: 'secret', name: 'pfx' }, { t: 'result' }, { t: 'end' }]);
  await result('PC-B', { cmd: 'user-remove' });
  for (const name of ['status', 'history', 'credential-list', 'access-list']) await on('PC-A', { cmd: name });

  for (const [name, conversation] of homes) {
    expect((await conversation.end()).code).toBe(0);
    seen.push({ where: `standard output of ${name}`, content: Buffer.concat(conversation.output) });
    seen.push({ where: `standard error of ${name}`, content: Buffer.from(conversation.stderr) });
  }
  // The command line reads secrets from standard input, and an error of it tells none.
  const home = join(folder, 'PC-A');
  const shell = promisify(execFile);
  const argv = ['feature-disable', 'SecureEmail', '--password-stdin', '--json'];
  const run = shell(executable, argv, { env: { SPMIGRATION_HOME: home, HOME: home } });
  run.child.stdin?.end(`${secrets.newPassword}\n`);
  const refusal = (await run.catch((error: unknown) => error)) as { stdout: string; stderr: string };
  expect(refusal.stderr).toContain('PasswordRejected');
  seen.push({ where: 'the command line', content: Buffer.from(refusal.stdout + refusal.stderr) });

  await readEverything(folder);
  expect(seen.length).toBeGreaterThan(40);
  expect(find()).toEqual([]);
  // The search itself finds what is there: the PFX's own password, planted, in each encoding.
  for (const encoded of needles.get('pfxPassword') ?? []) {
    seen.splice(0, seen.length, { where: 'a plant', content: Buffer.concat([Buffer.from('xyz'), encoded]) });
    expect(find().length).toBeGreaterThan(0);
  }
  for (const before of ['', 'x', 'xy', 'xyz']) {
    const content = Buffer.from(Buffer.from(`${before}${secrets.pfxPassword}, and more`).toString('base64'));
    seen.splice(0, seen.length, { where: 'a plant in base64', content });
    expect(find()).toEqual(['pfxPassword in a plant in base64']);
  }
});

/** Arguments and environment of a running process. */
async function lookAt(pid: number, name: string): Promise<void> {
  for (const file of ['cmdline', 'environ'])
    seen.push({ where: `${file} of ${name}`, content: await readFile(`/proc/${String(pid)}/${file}`) });
}

async function readEverything(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    seen.push({ where: `the name of ${path}`, content: Buffer.from(path) });
    if (entry.isFile()) seen.push({ where: path, content: await readFile(path) });
  }
}

function find(): readonly string[] {
  return seen.flatMap(({ where, content }) =>
    [...needles].flatMap(([what, encodings]) =>
      encodings.some((encoded) => content.includes(encoded)) ? [`${what} in ${where}`] : [],
    ),
  );
}

/** A text as it could be written down: also escaped, also in UTF-16, also what those look like encoded. */
function encodingsOfText(text: string): readonly Buffer[] {
  const escaped = JSON.stringify(text).slice(1, -1);
  const ascii = escaped.replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const written = [
    text,
    escaped,
    ascii,
    encodeURIComponent(text),
    encodeURIComponent(text).replaceAll('%20', '+'),
  ];
  return [
    ...written.map((one) => Buffer.from(one)),
    ...[text, escaped].map((one) => Buffer.from(one, 'utf16le')),
    ...encodingsOfBytes(utf8(text)),
    ...encodingsOfBytes(utf8(text.normalize('NFKC'))),
    ...encodingsOfBytes(Buffer.from(text, 'utf16le')),
  ];
}

/** Bytes raw, in hex of both cases, and in both alphabets of base64 at each of its three alignments. */
function encodingsOfBytes(bytes: Uint8Array): readonly Buffer[] {
  const hex = toHex(bytes);
  const base64 = [0, 1, 2].flatMap((shift) => {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    // Characters that also hold bits of neighbours are left out at both ends.
    const inner = shifted
      .toString('base64')
      .replace(/=+$/, '')
      .slice(shift === 0 ? 0 : shift + 1, -1);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const byteList = [...bytes].join(',');
  return [
    Buffer.from(bytes),
    ...[hex, hex.toUpperCase(), (hex.match(/../g) ?? []).join(' '), byteList, ...base64].map((one) =>
      Buffer.from(one),
    ),
    Buffer.from(hex, 'utf16le'),
  ];
}

/** Every piece of a private key; a few could hide in part of a file. Its public parts (the modulus) are no secret. */
function piecesOf(pkcs8: Uint8Array): readonly Uint8Array[] {
  // An RSA key's PKCS#8 begins with version, algorithm and the public modulus and exponent; what follows is secret.
  const publicBytes = 26 + 12 + 257 + 5;
  const pieces: Uint8Array[] = [];
  for (let at = publicBytes; at + pieceBytes <= pkcs8.length; at += pieceBytes)
    pieces.push(pkcs8.slice(at, at + pieceBytes));
  expect(pieces.length).toBeGreaterThan(30);
  return pieces;
}
