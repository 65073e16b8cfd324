/**
 * Every generation that lies in a computer's environment folder, kept and in quarantine, opened from the files with passwords
 * that a test knows: what is in them, and which password opens them. Finds files by walking the folder, not by asking the
 * product what it has.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { toHex, utf8 } from '../../core/src/bytes/bytes.ts';
import { deriveRoot } from '../../core/src/crypto/kdf.ts';
import type { Environment, GenerationHeader } from '../../core/src/domain/environment.ts';
import { hasCode } from '../../core/src/domain/error.ts';
import { decodeGeneration } from '../../core/src/format/generation-v1.ts';
import { recordedPlatform } from '../../core/src/operations/platform-context.ts';
import { openBasicUserKey, openGeneration } from '../../core/src/sealing/environment.ts';
import { UserKeys } from '../../core/src/sealing/user-keys.ts';
import type { Computer } from './computer.ts';

export interface KeptFile {
  /** Below the environment folder, e.g. `epochs/1/000003.spenv`. */
  readonly path: string;
  readonly header: GenerationHeader;
  /** The password that opened it; undefined where none did: then only the public part is known. */
  readonly password: string | undefined;
  /** Credential ids. */
  readonly credentials: readonly string[];
  /** SubjectPublicKeyInfo (hex) of every private key in it. */
  readonly publicKeys: readonly string[];
  readonly environment: Environment | undefined;
}

/** The one environment folder below a computer's `users/`. */
export async function environmentFolder({ home }: Computer): Promise<string> {
  const users = join(home, 'users');
  const [account = ''] = await readdir(users);
  const [platform = ''] = await readdir(join(users, account));
  return join(users, account, platform);
}

/** All of them, sorted by path. */
export async function keptFiles(
  computer: Computer,
  passwords: readonly string[],
): Promise<readonly KeptFile[]> {
  const folder = await environmentFolder(computer);
  const files: KeptFile[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.spenv')) continue;
    files.push(await openFile(computer, folder, join(entry.parentPath, entry.name), passwords));
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function openFile(
  computer: Computer,
  folder: string,
  path: string,
  passwords: readonly string[],
): Promise<KeptFile> {
  const decoded = decodeGeneration(new Uint8Array(await readFile(path)), path);
  const credentials = decoded.publicPart.credentials.map(({ id }) => id);
  const known = { path: relative(folder, path), header: decoded.header, credentials };
  for (const password of passwords) {
    const environment = await openWith(computer, decoded, path, password);
    if (environment === undefined) continue;
    const publicKeys = [...environment.privatePart.keys.values()].map(publicKeyOf);
    return { ...known, password, publicKeys, environment };
  }
  return { ...known, password: undefined, publicKeys: [], environment: undefined };
}

async function openWith(
  { ports }: Computer,
  decoded: ReturnType<typeof decodeGeneration>,
  path: string,
  password: string,
): Promise<Environment | undefined> {
  const { header } = decoded;
  const keys = new UserKeys(await deriveRoot(new SecretBytes(utf8(password)), header.passwordSalt));
  try {
    const { settings, chip } = await recordedPlatform(ports);
    const blob = openBasicUserKey(header, settings.chip, keys.atRest, 'the test');
    const key = { public: header.basicUserKey, private: blob };
    const loaded = await chip.loadBasicUserKey(key, keys.basicUserAuth);
    try {
      const vaultKey = await loaded.openVaultKey(header.vaultKey, keys.vaultAuth);
      return openGeneration(decoded, { vaultKey, atRest: keys.atRest }, path);
    } finally {
      await loaded.dispose();
    }
  } catch (error) {
    if (hasCode(error, 'PasswordRejected')) return undefined;
    throw error;
  }
}

/** SubjectPublicKeyInfo (hex) of a PKCS#8 key. */
export function publicKeyOf(privateKey: SecretBytes): string {
  const key = createPrivateKey({ key: Buffer.from(privateKey.reveal), format: 'der', type: 'pkcs8' });
  return toHex(new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' })));
}
