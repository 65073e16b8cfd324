/**
 * What the module writes to the event log of Windows (docs/spec/event-log.md): one number for each operation that changes
 * something, and the properties of results that name what was changed. Numbers are a promise to those who collect events: one is
 * never given to another operation.
 */

/** An event's id is this and the operation's number: the change was made, or it was not. */
export const doneEvents = 1000;
export const notDoneEvents = 2000;

/** By the operations' names in the process protocol. The module's own bookkeeping is no change that anybody asked for. */
export const eventNumbers = {
  'platform-initialize': 1,
  'authority-new': 2,
  'authority-password': 3,
  'identity-export': 10,
  'attestation-export': 11,
  'challenge-new': 12,
  'access-grant': 20,
  'access-revoke': 21,
  'revocation-add': 22,
  'user-initialize': 30,
  'user-new-key': 31,
  'user-password': 32,
  'user-remove': 33,
  'credential-new': 40,
  'credential-add': 41,
  'credential-complete': 42,
  'credential-install': 43,
  'credential-remove': 44,
  'feature-enable': 50,
  'feature-disable': 51,
  export: 60,
  import: 61,
  undo: 62,
  'archive-remove': 63,
} as const satisfies Readonly<Record<string, number>>;

/** Properties of results, in the order in which an event has them: ids, and where a file was written. None of them is a secret. */
export const eventProperties = [
  'Serial',
  'Destination',
  'Fingerprint',
  'AuthorityFingerprint',
  'EndorsementFingerprint',
  'PlatformId',
  'BasicUserKey',
  'Credential',
  'Thumbprint',
  'Feature',
  'Archive',
  'Case',
  'Generation',
  'Quarantine',
  'Number',
  'Path',
] as const;

/** Categories of errors that are faults; all others are refusals, and their events warnings. */
export const faultCategories = [
  'InvalidResult',
  'DeviceError',
  'WriteError',
  'ConnectionError',
  'NotImplemented',
] as const;
