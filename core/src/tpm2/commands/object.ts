/**
 * Commands on objects (TPM 2.0 Part 3, clauses 12, 24 and 28.5). Public areas are bytes of TPMT_PUBLIC, private ones
 * bodies of TPM2B_PRIVATE; what comes back from a TPM is bytes as well, which the chip checks with `structures.ts`.
 */
import { equal } from '../../bytes/bytes.ts';
import { ByteWriter, type ByteReader } from '../../bytes/reader.ts';
import { SecretBytes } from '../../bytes/secret-bytes.ts';
import { entityOf, MalformedResponse, maximumTpm2b, type Command, type Entity } from '../command.ts';
import { RH } from '../constants.ts';
import { nameBytes, nameOf } from '../name.ts';

/** A public area read from a TPM. */
export interface ReadPublic {
  /** TPMT_PUBLIC. */
  readonly publicArea: Uint8Array;
  readonly name: Uint8Array;
}

/** TPM2_ReadPublic, Part 3, clause 12.4. */
export function TPM2_ReadPublic(handle: number): Command<ReadPublic> {
  return {
    name: 'ReadPublic',
    // It needs no authorization, so that the Name, which is not known yet, is not needed either.
    handles: [entityOf(handle)],
    authorized: 0,
    parameters: new Uint8Array(),
    read: (reader) => {
      const publicArea = reader.sized16(maximumTpm2b);
      // Of a key of another hash, which may lie there, it is longer than ours.
      const name = reader.sized16(maximumTpm2b);
      reader.sized16(maximumTpm2b); // qualifiedName
      return { publicArea, name };
    },
  };
}

/** What a new object is made from. */
export interface NewObject {
  /** TPMT_PUBLIC without its unique part. */
  readonly template: Uint8Array;
  readonly authValue?: SecretBytes;
  /** What is sealed; none for keys. */
  readonly data?: SecretBytes;
}

/** TPM2_CreatePrimary, Part 3, clause 24.1, in a hierarchy. Its authValue is none, so nothing of it is secret. */
export function TPM2_CreatePrimary(
  hierarchy: number,
  template: Uint8Array,
): Command<Entity & { readonly publicArea: Uint8Array }> {
  return {
    name: 'CreatePrimary',
    handles: [entityOf(hierarchy)],
    authorized: 1,
    parameters: creation({ template }),
    givesHandle: true,
    read: (reader, handle) => {
      const publicArea = reader.sized16(maximumTpm2b);
      skipCreation(reader);
      return { handle, publicArea, name: reader.sized16(nameBytes) };
    },
  };
}

/** Halves of a new object. */
export interface CreatedObject {
  readonly private: Uint8Array;
  readonly public: Uint8Array;
}

/** TPM2_Create, Part 3, clause 12.1. */
export function TPM2_Create(parent: Entity, object: NewObject): Command<CreatedObject> {
  return {
    name: 'Create',
    handles: [parent],
    authorized: 1,
    parameters: creation(object),
    secretParameter: true,
    read: (reader) => {
      const created = { private: reader.sized16(maximumTpm2b), public: reader.sized16(maximumTpm2b) };
      skipCreation(reader);
      return created;
    },
  };
}

/** TPM2B_SENSITIVE_CREATE, TPM2B_PUBLIC, no outsideInfo, no PCR. */
function creation({ template, authValue, data }: NewObject): Uint8Array {
  const nothing = new Uint8Array();
  using sensitive = new SecretBytes(
    new ByteWriter()
      .sized16(authValue?.reveal ?? nothing)
      .sized16(data?.reveal ?? nothing)
      .done(),
  );
  return new ByteWriter().sized16(sensitive.reveal).sized16(template).sized16(nothing).u32(0).done();
}

/** TPM2B_CREATION_DATA, TPM2B_DIGEST and TPMT_TK_CREATION, which nobody here asks for. */
function skipCreation(reader: ByteReader): void {
  reader.sized16(maximumTpm2b);
  reader.sized16(maximumTpm2b);
  reader.take(6);
  reader.sized16(maximumTpm2b);
}

/** TPM2_Load, Part 3, clause 12.2. */
export function TPM2_Load(
  parent: Entity,
  object: { readonly private: Uint8Array; readonly public: Uint8Array },
): Command<Entity> {
  return {
    name: 'Load',
    handles: [parent],
    authorized: 1,
    parameters: new ByteWriter().sized16(object.private).sized16(object.public).done(),
    givesHandle: true,
    read: (reader, handle) => ({ handle, name: reader.sized16(nameBytes) }),
  };
}

/**
 * TPM2_LoadExternal, Part 3, clause 12.3, of a public area alone. Under the owner hierarchy, as a signature that a key
 * under TPM_RH_NULL verified gives no ticket that a policy takes (Part 3, clause 20.1).
 */
export function TPM2_LoadExternal(publicArea: Uint8Array): Command<Entity> {
  return {
    name: 'LoadExternal',
    handles: [],
    authorized: 0,
    parameters: new ByteWriter().u16(0).sized16(publicArea).u32(RH.OWNER).done(),
    givesHandle: true,
    read: (reader, handle) => {
      // No session protects this answer, and the Name is known without it.
      const name = nameOf(publicArea);
      if (equal(reader.sized16(nameBytes), name)) return { handle, name };
      throw new MalformedResponse('LoadExternal', 'names another key than was loaded');
    },
  };
}

/** TPM2_Unseal, Part 3, clause 12.7. The caller disposes what comes out. */
export function TPM2_Unseal(item: Entity): Command<SecretBytes> {
  return {
    name: 'Unseal',
    handles: [item],
    authorized: 1,
    parameters: new Uint8Array(),
    secretResponse: true,
    read: (reader) => new SecretBytes(reader.sized16(maximumTpm2b)),
  };
}

/** TPM2_ObjectChangeAuth, Part 3, clause 12.8: a new TPM2B_PRIVATE body; what is loaded stays as it is. */
export function TPM2_ObjectChangeAuth(
  object: Entity,
  parent: Entity,
  newAuth: SecretBytes,
): Command<Uint8Array> {
  return {
    name: 'ObjectChangeAuth',
    handles: [object, parent],
    authorized: 1,
    parameters: new ByteWriter().sized16(newAuth.reveal).done(),
    secretParameter: true,
    read: (reader) => reader.sized16(maximumTpm2b),
  };
}

/** TPM2_EvictControl, Part 3, clause 28.5: keeps a loaded object under a persistent handle. */
export function TPM2_EvictControl(object: Entity, persistentHandle: number): Command<void> {
  return {
    name: 'EvictControl',
    handles: [entityOf(RH.OWNER), object],
    authorized: 1,
    parameters: new ByteWriter().u32(persistentHandle).done(),
    read: () => undefined,
  };
}
