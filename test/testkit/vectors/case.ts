/** Short forms for writing down vectors. */
import { fromUtf8, utf8 } from '../../../core/src/bytes/bytes.ts';
import type { ErrorCode } from '../../../core/src/domain/error-catalogue.ts';
import type { CodecName } from '../codecs.ts';
import { headerNames, type HeaderName, type Vector } from './vector-file.ts';

/** How far the file is read: decoded; verified without secrets; checked against a move; opened with chip and password. */
export type Stage = 'decode' | 'verify' | 'check' | 'open';

export interface Scenario {
  readonly read: CodecName | 'policy';
  /** `decode` unless it says otherwise. */
  readonly stage?: Stage;
  /** `<document>#<section>` under docs/spec. */
  readonly spec: string;
  readonly comment: string;
  /** Other headers. */
  readonly given?: Partial<Record<HeaderName, string>>;
}

/** A file that must be accepted. */
export function accepted(name: string, scenario: Scenario, body: Uint8Array): Vector {
  return makeVector(name, scenario, body, { expect: 'success' });
}

/** A file that must be refused with this code. */
export function refused(name: string, code: ErrorCode, scenario: Scenario, body: Uint8Array): Vector {
  return makeVector(name, scenario, body, { expect: 'refused', code });
}

/** The text of a file with one replacement, which must change it. */
export function edited(file: Uint8Array, from: string | RegExp, to: string): Uint8Array {
  const text = fromUtf8(file) ?? '';
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`nothing to replace: ${String(from)}`);
  return utf8(changed);
}

/** The file with one byte exclusive-or'ed; negative positions count from its end. */
export function flipped(file: Uint8Array, position: number, bits = 1): Uint8Array {
  const changed = file.slice();
  const at = position < 0 ? file.length + position : position;
  changed[at] = (changed[at] ?? 0) ^ bits;
  return changed;
}

function makeVector(
  name: string,
  scenario: Scenario,
  body: Uint8Array,
  outcome: Partial<Record<HeaderName, string>>,
): Vector {
  const isText = body.every((byte) => byte === 0x0a || (byte >= 0x20 && byte <= 0x7e));
  const values: Partial<Record<HeaderName, string>> = {
    ...outcome,
    read: scenario.read,
    stage: scenario.stage ?? 'decode',
    spec: scenario.spec,
    comment: scenario.comment,
    ...scenario.given,
    body: isText ? 'text' : 'base64',
  };
  const headers = new Map(
    headerNames.flatMap((header) => (values[header] === undefined ? [] : [[header, values[header]]])),
  );
  return { name, headers, body };
}
