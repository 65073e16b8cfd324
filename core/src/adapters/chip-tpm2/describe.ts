/** What a TPM says of itself: maker, firmware, lock-out (TPM 2.0 Part 2, clause 6.13). Needs no session and no secret. */
import type { ChipDescription, LockOut } from '../../ports/chip.ts';
import { TPM2_GetCapability_properties } from '../../tpm2/commands/session.ts';
import { PERMANENT, PT, STARTUP_CLEAR } from '../../tpm2/constants.ts';
import type { Connection } from './connection.ts';

/** TCG TPM Vendor ID Registry, those that make or simulate TPM 2.0. */
const manufacturers: Readonly<Record<string, string>> = {
  AMD: 'AMD',
  GOOG: 'Google',
  IBM: 'IBM',
  IFX: 'Infineon',
  INTC: 'Intel',
  MSFT: 'Microsoft',
  NTC: 'Nuvoton',
  QCOM: 'Qualcomm',
  STM: 'STMicroelectronics',
  VMW: 'VMware',
};

const enforcement =
  'By the TPM: it hands a Basic User Key over only to a destination that the authority signed for, and only with the ' +
  "user's authorization.";

/** Reads both groups of properties: two commands. */
export async function describeTpm(connection: Connection): Promise<ChipDescription> {
  const count = PT.FIRMWARE_VERSION_2 - PT.MANUFACTURER + 1;
  const fixed = await connection.run(TPM2_GetCapability_properties(PT.MANUFACTURER, count));
  const state = await readState(connection);
  const id = characters(fixed.get(PT.MANUFACTURER));
  const manufacturer = manufacturers[id] ?? id;
  const vendor = [0, 1, 2, 3].map((n) => characters(fixed.get(PT.VENDOR_STRING_1 + n), '')).join('');
  const firmware = [PT.FIRMWARE_VERSION_1, PT.FIRMWARE_VERSION_2]
    .map((property) => fixed.get(property) ?? 0)
    .map((version) => `${String(version >>> 16)}.${String(version & 0xffff)}`)
    .join('.');
  const model = vendor.trim() === '' ? 'TPM 2.0' : `TPM 2.0 (${vendor.trim()})`;
  return {
    kind: 'tpm2',
    model: `${manufacturer} ${model}, firmware ${firmware}`,
    enforcement,
    manufacturer,
    firmware,
    lockOut: lockOutIn(state),
    storageDisabled: storageDisabledIn(state),
    ownerPasswordSet: ((state.get(PT.PERMANENT) ?? 0) & PERMANENT.ownerAuthSet) !== 0,
  };
}

/** Whether the storage hierarchy is switched off, with every key in it. */
export async function isStorageDisabled(connection: Connection): Promise<boolean> {
  return storageDisabledIn(await connection.run(TPM2_GetCapability_properties(PT.STARTUP_CLEAR, 1)));
}

/** How near to a lock-out the TPM is, and how long one lasts. */
export async function lockOutOf(connection: Connection): Promise<LockOut> {
  return lockOutIn(await readState(connection));
}

function readState(connection: Connection): Promise<ReadonlyMap<number, number>> {
  const count = PT.LOCKOUT_RECOVERY - PT.PERMANENT + 1;
  return connection.run(TPM2_GetCapability_properties(PT.PERMANENT, count));
}

function storageDisabledIn(state: ReadonlyMap<number, number>): boolean {
  return ((state.get(PT.STARTUP_CLEAR) ?? 0) & STARTUP_CLEAR.shEnable) === 0;
}

function lockOutIn(state: ReadonlyMap<number, number>): LockOut {
  const lockedOut = ((state.get(PT.PERMANENT) ?? 0) & PERMANENT.inLockout) !== 0;
  return {
    lockedOut,
    failedTries: state.get(PT.LOCKOUT_COUNTER) ?? 0,
    maximumTries: state.get(PT.MAX_AUTH_FAIL) ?? 0,
    // A TPM tells the interval and not how much of it has passed.
    atMostSeconds: lockedOut ? (state.get(PT.LOCKOUT_INTERVAL) ?? 0) : 0,
  };
}

/** For the message of a refusal. */
export function lockOutWords({ atMostSeconds, failedTries }: LockOut): string {
  if (atMostSeconds === 0) return `after ${String(failedTries)} failures, until it is reset`;
  const inMinutes = atMostSeconds >= 120;
  const count = inMinutes ? Math.ceil(atMostSeconds / 60) : atMostSeconds;
  const unit = `${inMinutes ? 'minute' : 'second'}${count === 1 ? '' : 's'}`;
  return `the next try is possible in at most ${String(count)} ${unit}`;
}

/** The four characters of a property, without padding. */
function characters(value: number | undefined, unknown = 'unknown maker'): string {
  if (value === undefined) return unknown;
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
    .replaceAll('\0', '')
    .trimEnd();
}
