/**
 * Prepares Windows' node.exe for carrying the product: takes off the publisher's signature, which would be broken, and
 * sets the version resource, so that Explorer and inventories name the product. Pure: bytes in, bytes out, and equal
 * input gives equal output. Leaves out: icons, and signing the result, which is the packager's (`--sign`).
 */
import { NtExecutable, NtExecutableResource, Resource } from 'resedit';

/** PE32+ offsets, "PE Format": optional header after the 4-byte signature and the 20-byte COFF header. */
const PE_HEADER_POINTER = 0x3c;
const OPTIONAL_HEADER = 24;
const CHECKSUM = 64;
const DATA_DIRECTORIES = 112;
const CERTIFICATE_TABLE = 4;

const ENGLISH = { lang: 1033, codepage: 1200 } as const;

/** `version` is semantic: three numbers, of which Windows shows four. */
export function prepareWindowsRuntime(node: Uint8Array, version: string): Uint8Array {
  return withVersion(withoutSignature(node), version);
}

export function withoutSignature(image: Uint8Array): Uint8Array {
  const bytes = image.slice();
  const view = new DataView(bytes.buffer);
  const optionalHeader = view.getUint32(PE_HEADER_POINTER, true) + OPTIONAL_HEADER;
  const entry = optionalHeader + DATA_DIRECTORIES + 8 * CERTIFICATE_TABLE;
  // For this one directory the first field is a file offset, not an address.
  const offset = view.getUint32(entry, true);
  const size = view.getUint32(entry + 4, true);
  view.setUint32(optionalHeader + CHECKSUM, 0, true); // 0 = not given
  if (offset === 0) return bytes;
  if (offset + size !== bytes.length) throw new Error('the signature of node.exe is not at its end');
  view.setUint32(entry, 0, true);
  view.setUint32(entry + 4, 0, true);
  return bytes.slice(0, offset);
}

function withVersion(image: Uint8Array, version: string): Uint8Array {
  const executable = NtExecutable.from(image);
  const resources = NtExecutableResource.from(executable);
  const [info] = Resource.VersionInfo.fromEntries(resources.entries);
  if (info === undefined) throw new Error('node.exe has no version resource');
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/, 3).map(Number);
  info.setFileVersion(major, minor, patch, 0, ENGLISH.lang);
  info.setProductVersion(major, minor, patch, 0, ENGLISH.lang);
  info.setStringValues(ENGLISH, {
    ProductName: 'SPMigration',
    FileDescription: 'SPMigration: moves a security environment to another computer',
    CompanyName: 'SPMigration contributors',
    LegalCopyright:
      'MIT License, SPMigration contributors. Contains Node.js, copyright Node.js contributors.',
    OriginalFilename: 'spmigration.exe',
    InternalName: 'spmigration',
  });
  info.outputToResourceEntries(resources.entries);
  resources.outputResource(executable);
  return new Uint8Array(executable.generate());
}
