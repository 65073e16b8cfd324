/** Commands that open and close sessions and read a TPM's state (TPM 2.0 Part 3, clauses 11, 28.4, 30). */
import { ByteWriter } from '../../bytes/reader.ts';
import type { SecretBytes } from '../../bytes/secret-bytes.ts';
import { entityOf, type Command, type Entity } from '../command.ts';
import { ALG, CAP, digestBytes, RH, SE } from '../constants.ts';
import { Session, type SessionKind } from '../session.ts';

/** The salt of a session, and how it is told to the TPM. */
export interface Salt {
  /** The TPM's decryption key. */
  readonly key: Entity;
  /** 32 bytes; not owned. */
  readonly secret: SecretBytes;
  /** Body of TPM2B_ENCRYPTED_SECRET. */
  readonly encrypted: Uint8Array;
}

/**
 * TPM2_StartAuthSession, Part 3, clause 11.1: not bound, SHA-256, and with a salt AES-128-CFB. `nonceCaller`: 32 random bytes.
 */
export function TPM2_StartAuthSession(
  kind: SessionKind,
  salt: Salt | undefined,
  nonceCaller: Uint8Array,
): Command<Session> {
  const parameters = new ByteWriter()
    .sized16(nonceCaller)
    .sized16(salt?.encrypted ?? new Uint8Array())
    .u8(kind === 'hmac' ? SE.HMAC : SE.POLICY);
  if (salt === undefined) parameters.u16(ALG.NULL);
  else parameters.u16(ALG.AES).u16(128).u16(ALG.CFB);
  return {
    name: 'StartAuthSession',
    handles: [salt?.key ?? entityOf(RH.NULL), entityOf(RH.NULL)],
    authorized: 0,
    parameters: parameters.u16(ALG.SHA256).done(),
    givesHandle: true,
    read: (reader, handle) =>
      new Session(handle, kind, salt?.secret, reader.sized16(digestBytes), nonceCaller),
  };
}

/** TPM2_FlushContext, Part 3, clause 28.4: of a transient object or a session. */
export function TPM2_FlushContext(handle: number): Command<void> {
  return {
    name: 'FlushContext',
    handles: [],
    authorized: 0,
    parameters: new ByteWriter().u32(handle).done(),
    read: () => undefined,
  };
}

/** TPM2_GetCapability, Part 3, clause 30.2: up to `count` TPM_PT from `first` on, those that the TPM has. */
export function TPM2_GetCapability_properties(
  first: number,
  count: number,
): Command<ReadonlyMap<number, number>> {
  return {
    name: 'GetCapability',
    handles: [],
    authorized: 0,
    parameters: new ByteWriter().u32(CAP.TPM_PROPERTIES).u32(first).u32(count).done(),
    read: (reader) => {
      reader.take(5); // moreData and the capability that was asked for
      const properties = new Map<number, number>();
      for (let left = reader.u32(); left > 0; left--) properties.set(reader.u32(), reader.u32());
      return properties;
    },
  };
}

/** TPM2_GetCapability of handles from `first` on: what of that kind is loaded. */
export function TPM2_GetCapability_handles(first: number): Command<readonly number[]> {
  return {
    name: 'GetCapability',
    handles: [],
    authorized: 0,
    parameters: new ByteWriter().u32(CAP.HANDLES).u32(first).u32(64).done(),
    read: (reader) => {
      reader.take(5);
      const handles: number[] = [];
      for (let left = reader.u32(); left > 0; left--) handles.push(reader.u32());
      return handles;
    },
  };
}
