/**
 * Opening what is set aside. A kept generation opens under the present keys, or stays closed: one that a change of password
 * or key left behind is under others. An environment in quarantine has keys of its own, which the given password may open.
 */
import { equal, toHex } from '../bytes/bytes.ts';
import type { Environment, GenerationHeader } from '../domain/environment.ts';
import { fail, hasCode } from '../domain/error.ts';
import {
  disposeKeys,
  openBasicUserKey,
  openGeneration,
  sealBasicUserKey,
  sealGeneration,
} from '../sealing/environment.ts';
import { UserKeys } from '../sealing/user-keys.ts';
import type { Call } from './operation.ts';
import { placeName, type PlaceFile } from './set-aside.ts';
import { openWith, type UnlockedEnvironment, type User } from './user-context.ts';

/** Whether both files are under the same Basic User Key and password. */
export function sameKeys(one: GenerationHeader, other: GenerationHeader): boolean {
  return equal(one.basicUserKey, other.basicUserKey) && equal(one.passwordSalt, other.passwordSalt);
}

/**
 * The environment in a kept generation, under the keys of the present one. `SetAsideNotOpened` where it is under others,
 * `EnvironmentDamaged`. The caller disposes its private keys.
 */
export function openKept(unlocked: UnlockedEnvironment, { place, stored, decoded }: PlaceFile): Environment {
  if (!sameKeys(decoded.header, unlocked.header)) {
    throw fail('SetAsideNotOpened', { what: `The content of ${placeName(place)}` });
  }
  const keys = { vaultKey: unlocked.vaultKey, atRest: unlocked.keys.atRest };
  const environment = openGeneration(decoded, keys, stored.path);
  const problem = misplaced(decoded.header, place.generation);
  if (problem === undefined) return environment;
  disposeKeys(environment);
  throw fail('EnvironmentDamaged', { path: stored.path, problem });
}

/** What is wrong with a file that stands under another number than its own: an old state could be passed off as a later one. */
export function misplaced(header: GenerationHeader, generation: number): string | undefined {
  return header.generation === generation
    ? undefined
    : `it is generation ${header.generation}, under the name of another`;
}

/** Opens files of environments in quarantine with the password of this conversation; undefined where it does not. */
export type QuarantineOpener = (file: PlaceFile) => Promise<UnlockedEnvironment | undefined>;

/**
 * An opener for one operation, to be used only after the password has opened the present environment: its tries are not
 * counted, since each password and key is tried once.
 */
export function quarantineOpener(call: Call, user: User): QuarantineOpener {
  const closed = new Set<string>();
  return async ({ place, stored, decoded }) => {
    const { header } = decoded;
    const whose = `the environment in ${placeName(place)}`;
    const mark = `${toHex(header.passwordSalt)} ${toHex(header.basicUserKey)}`;
    if (closed.has(mark) || misplaced(header, place.generation) !== undefined) return undefined;
    const root = await call.secrets.root('password', header.passwordSalt, whose);
    try {
      return await openWith(user.platform, { decoded, stored }, new UserKeys(root), whose);
    } catch (error) {
      if (hasCode(error, 'EnvironmentDamaged')) return undefined;
      if (!hasCode(error, 'PasswordRejected') && !hasCode(error, 'StorageKeyChanged')) throw error;
      // The next file under the same keys would cost a chip one more of its tries.
      closed.add(mark);
      return undefined;
    }
  };
}

/** The same generation with another content, under its own keys and a fresh key salt. */
export function sealedAnew(
  call: Call,
  user: User,
  opened: UnlockedEnvironment,
  environment: Environment,
): Uint8Array {
  const { header, keys, vaultKey } = opened;
  const { chip } = user.platform.settings;
  const keySalt = call.ports.random(16);
  const blob = openBasicUserKey(header, chip, keys.atRest, user.platform.account.name);
  const anew: GenerationHeader = {
    ...header,
    keySalt,
    basicUserKeyPrivate: sealBasicUserKey(blob, header.basicUserKey, keySalt, chip, keys.atRest),
  };
  return sealGeneration(anew, environment, { vaultKey, atRest: keys.atRest });
}
