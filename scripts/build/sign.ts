/**
 * Signing a module folder by a program of the packager's: which files Windows looks for a signature in, and that what the
 * program left is the file as it was with a signature in it, and nothing else. Leaves out keys and certificates, which are the
 * program's (`scripts/sign-with-osslsigncode.sh` is one), and whether anybody trusts them.
 */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { filesBelow } from './files-below.ts';
import { withoutSignature } from './windows-runtime.ts';

/** Authenticode files of a module: App Control looks at all of them, the execution policy AllSigned at the scripts. */
const SIGNABLE = /\.(exe|psm1|psd1|ps1|ps1xml)$/;

/** "PE Format": a certificate table begins at a multiple of 8, and the image is filled with zeros up to there. */
const CERTIFICATE_ALIGNMENT = 8;

const SCRIPT_SIGNATURE =
  /^\r?\n(?:# SIG # Begin signature block\r?\n(?:# .*\r?\n)+# SIG # End signature block|<!-- SIG # Begin signature block -->\r?\n(?:<!-- .* -->\r?\n)+<!-- SIG # End signature block -->)\r?\n$/;

/** What the packager's program did is not what signing is. */
export class SigningError extends Error {}

/**
 * Runs `program` with the path of each file below `folder` that can be signed, executables first. Answers which scripts it left
 * as they were, relative to `folder`: a program may know executables only.
 * @throws SigningError where it fails, leaves an executable unsigned, or changes more than the signature.
 */
export async function signModule(folder: string, program: string): Promise<readonly string[]> {
  const unsigned: string[] = [];
  for (const name of await signableFiles(folder)) {
    const file = join(folder, name);
    const before = await readFile(file);
    sign(program, file, name);
    const after = await readFile(file).catch(() => new Uint8Array());
    const outcome = compareSigned(name, before, after);
    if (outcome === 'unsigned' && !name.endsWith('.exe')) unsigned.push(name);
    else if (outcome !== 'signed') throw new SigningError(`${basename(program)} ${told[outcome]} ${name}`);
  }
  return unsigned;
}

const told = { unsigned: 'did not sign', damaged: 'changed more than the signature of' } as const;

async function signableFiles(folder: string): Promise<readonly string[]> {
  const names = (await filesBelow(folder)).filter((name) => SIGNABLE.test(name));
  return [
    ...names.filter((name) => name.endsWith('.exe')),
    ...names.filter((name) => !name.endsWith('.exe')),
  ];
}

function sign(program: string, file: string, name: string): void {
  const { error, status, signal, stdout, stderr } = spawnSync(program, [file], { encoding: 'utf8' });
  if (status === 0) return;
  const failed = `${basename(program)} failed for ${name}`;
  if (error !== undefined) throw new SigningError(`${failed}: ${error.message}`);
  const how = status === null ? `it was ended by ${signal}` : `exit code ${status}`;
  throw new SigningError(`${failed}: ${how}\n${stdout}${stderr}`.trimEnd());
}

/** What a program that was to sign `name` made of it. */
export function compareSigned(
  name: string,
  before: Uint8Array,
  after: Uint8Array,
): 'signed' | 'unsigned' | 'damaged' {
  if (Buffer.compare(before, after) === 0) return 'unsigned';
  const isSigned = name.endsWith('.exe') ? executableIsSigned : scriptIsSigned;
  return isSigned(before, after) ? 'signed' : 'damaged';
}

function executableIsSigned(before: Uint8Array, after: Uint8Array): boolean {
  let stripped: Uint8Array;
  try {
    stripped = withoutSignature(after);
  } catch {
    // Whatever it is now, it is no image that ends with a signature.
    return false;
  }
  const image = withoutSignature(before);
  const filled = Math.ceil(image.length / CERTIFICATE_ALIGNMENT) * CERTIFICATE_ALIGNMENT;
  if (stripped.length !== filled || after.length === stripped.length) return false;
  const expected = new Uint8Array(filled);
  expected.set(image);
  return Buffer.compare(stripped, expected) === 0;
}

function scriptIsSigned(before: Uint8Array, after: Uint8Array): boolean {
  const isContinued = Buffer.compare(before, after.subarray(0, before.length)) === 0;
  return isContinued && SCRIPT_SIGNATURE.test(Buffer.from(after.subarray(before.length)).toString('latin1'));
}
