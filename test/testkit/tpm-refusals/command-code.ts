/** The policy digest of PolicyCommandCode (TPM 2.0 Part 3, clause 23.11), which this product neither makes nor signs. */
import { ByteWriter } from '../../../core/src/bytes/reader.ts';
import { sha256 } from '../../../core/src/crypto/hash.ts';
import { CC, digestBytes, type CommandName } from '../../../core/src/tpm2/constants.ts';

/** TPM_CC_PolicyCommandCode. */
export const policyCommandCode = 0x16c;

export function commandCodeDigest(command: CommandName): Uint8Array {
  const code = new ByteWriter().u32(policyCommandCode).u32(CC[command]).done();
  return sha256(new Uint8Array(digestBytes), code);
}
