/**
 * A Basic User Key handed over by tpm2-tools, tool by tool in the order of its policy (docs/spec/chip.md, "Policy"): for
 * tests in which the tools are a witness, and for the benchmark in which they are the rival.
 */
import { concat, equal, toHex } from '../../core/src/bytes/bytes.ts';
import { ByteWriter } from '../../core/src/bytes/reader.ts';
import type { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import type { DuplicationRequest, PolicyStep } from '../../core/src/ports/chip.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { moveDigest } from '../../core/src/tpm2/policy.ts';
import type { ToolTpm } from './tpm-tools.ts';

export interface ToolHandOver extends DuplicationRequest {
  /** Name of the loaded key's context file. */
  readonly key: string;
  /** Its TPMT_PUBLIC. */
  readonly publicArea: Uint8Array;
  readonly authValue: SecretBytes;
}

/**
 * Writes `<key>.duplicate` and `<key>.seed`; throws `ToolRefusal` where the TPM stops. Answers the milliseconds that the
 * tools took.
 */
export function duplicateByTools(tpm: ToolTpm, request: ToolHandOver): number {
  const { key, publicArea, newParent, steps, branches, innerKey, authValue } = request;
  tpm.put('object.name', nameOf(publicArea));
  tpm.put('parent.name', nameOf(newParent));
  tpm.putSized('parent.pub', newParent);
  tpm.put('inner', innerKey.reveal);
  const list = `sha256:${tpm.put('any', branches[0])},${tpm.put('one', branches[1])}`;
  let milliseconds = tpm.must('tpm2_startauthsession', '-S', 'session', '--policy-session');
  try {
    // Whether the object is included is a parameter of the session's first command; the first step says which.
    const approved = steps[0]?.approvedPolicy ?? new Uint8Array();
    const bound = equal(approved, moveDigest(nameOf(publicArea), nameOf(newParent)));
    const select = ['-n', 'object.name', '-N', 'parent.name', ...(bound ? ['--include-object'] : [])];
    milliseconds += tpm.must('tpm2_policyduplicationselect', '-S', 'session', ...select);
    for (const step of steps) milliseconds += authorize(tpm, step);
    milliseconds += tpm.must('tpm2_policyor', '-S', 'session', '-l', list);
    milliseconds += tpm.must('tpm2_policyauthvalue', '-S', 'session');
    milliseconds += tpm.must('tpm2_loadexternal', '-C', 'o', '-u', 'parent.pub', '-c', 'parent');
    const user = `session:session+hex:${toHex(authValue.reveal)}`;
    const written = ['-G', 'aes', '-i', 'inner', '-r', `${key}.duplicate`, '-s', `${key}.seed`];
    milliseconds += tpm.must('tpm2_duplicate', '-C', 'parent', '-c', key, '-p', user, ...written);
    return milliseconds;
  } finally {
    tpm.run('tpm2_flushcontext', 'session');
  }
}

function authorize(tpm: ToolTpm, { authority, approvedPolicy, policyRef, signature }: PolicyStep): number {
  tpm.putSized('signer.pub', authority);
  tpm.put('message', concat(approvedPolicy, policyRef));
  // TPMT_SIGNATURE: ECDSA, SHA-256, then r and s as TPM2B.
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
  tpm.put('signature', new ByteWriter().u16(0x18).u16(0x0b).sized16(r).sized16(s).done());
  tpm.put('approved', approvedPolicy);
  tpm.put('ref', policyRef);
  const signer = ['-u', 'signer.pub', '-c', 'signer', '-n', 'signer.name'];
  let milliseconds = tpm.must('tpm2_loadexternal', '-C', 'o', ...signer);
  const signed = ['-g', 'sha256', '-m', 'message', '-s', 'signature', '-t', 'ticket'];
  milliseconds += tpm.must('tpm2_verifysignature', '-c', 'signer', ...signed);
  const approval = ['-i', 'approved', '-q', 'ref', '-n', 'signer.name', '-t', 'ticket'];
  return milliseconds + tpm.must('tpm2_policyauthorize', '-S', 'session', ...approval);
}
