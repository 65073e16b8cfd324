/**
 * A TPM as witness for credentials: what this product makes, `tpm2_activatecredential` opens on swtpm, for ECC and RSA
 * endorsement keys, and for nothing but the object it was made for; what `tpm2_makecredential` makes has the same form.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concat, equal, plain, toHex } from '../../core/src/bytes/bytes.ts';
import { ByteReader, ByteWriter } from '../../core/src/bytes/reader.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { makeCredential, type MadeCredential } from '../../core/src/tpm2/credential.ts';
import { endorsementKeyArea, missingBinding } from '../../core/src/tpm2/endorsement.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import { hasTpmTools, ToolTpm } from '../testkit/tpm-tools.ts';

const random = (length: number): Uint8Array => plain(randomBytes(length));

/** The file of tpm2-tools: magic and version, then the two TPM2B. */
const credentialHead = Uint8Array.of(0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, 1);

function toolFile({ credentialBlob, encryptedSecret }: MadeCredential): Uint8Array {
  return concat(credentialHead, new ByteWriter().sized16(credentialBlob).sized16(encryptedSecret).done());
}

describe.skipIf(!hasTpmTools())('tpm2-tools and a TPM', () => {
  let tpm: ToolTpm;
  beforeAll(async () => {
    tpm = await ToolTpm.start();
    tpm.must('tpm2_createprimary', '-C', 'o', '-G', 'ecc', '-c', 'srk.ctx');
    tpm.must('tpm2_readpublic', '-c', 'srk.ctx', '-f', 'tpmt', '-o', 'srk.pub');
    tpm.must('tpm2_createek', '-G', 'ecc', '-c', 'ek-ecc.ctx', '-f', 'tpmt', '-u', 'ek-ecc.pub');
    tpm.must('tpm2_createek', '-G', 'rsa', '-c', 'ek-rsa.ctx', '-f', 'tpmt', '-u', 'ek-rsa.pub');
  });
  afterAll(() => {
    tpm.stop();
  });

  /** What the TPM gives out; undefined where it refuses. */
  function activated(kind: 'ecc' | 'rsa', object: string, made: MadeCredential): Uint8Array | undefined {
    tpm.put('credential', toolFile(made));
    tpm.must('tpm2_startauthsession', '--policy-session', '-S', 'session.ctx');
    try {
      tpm.must('tpm2_policysecret', '-S', 'session.ctx', '-c', 'e');
      const outcome = tpm.run(
        'tpm2_activatecredential',
        ...[
          '-c',
          object,
          '-C',
          `ek-${kind}.ctx`,
          '-i',
          'credential',
          '-o',
          'secret',
          '-P',
          'session:session.ctx',
        ],
      );
      return outcome.ok ? tpm.get('secret') : undefined;
    } finally {
      tpm.run('tpm2_flushcontext', 'session.ctx');
    }
  }

  function made(kind: 'ecc' | 'rsa', name: Uint8Array, secret: Uint8Array): MadeCredential {
    const area = endorsementKeyArea(tpm.get(`ek-${kind}.pub`));
    if (area === undefined) throw new Error('the endorsement key was not recognised');
    return makeCredential(area, name, SecretBytes.copyOf(secret), random);
  }

  describe.each(['ecc', 'rsa'] as const)('with an endorsement key on %s', (kind) => {
    it('activate what was made here', () => {
      const secret = random(32);
      const opened = activated(kind, 'srk.ctx', made(kind, nameOf(tpm.get('srk.pub')), secret));
      expect(toHex(opened ?? new Uint8Array())).toBe(toHex(secret));
    });

    it('refuse it for another object, and after a change', () => {
      const credential = made(kind, nameOf(tpm.get('srk.pub')), random(32));
      tpm.must('tpm2_createprimary', '-C', 'o', '-G', 'rsa', '-c', 'other.ctx');
      expect(activated(kind, 'other.ctx', credential)).toBeUndefined();
      const credentialBlob = credential.credentialBlob.slice();
      credentialBlob[40] = (credentialBlob[40] ?? 0) ^ 1;
      expect(activated(kind, 'srk.ctx', { ...credential, credentialBlob })).toBeUndefined();
    });

    it('make credentials of the same form', () => {
      tpm.put('plain', random(32));
      const name = toHex(nameOf(tpm.get('srk.pub')));
      tpm.putSized('ek.2b', tpm.get(`ek-${kind}.pub`));
      tpm.must('tpm2_makecredential', ...['-u', 'ek.2b', '-s', 'plain', '-n', name, '-o', 'by-tool']);
      const reader = new ByteReader(tpm.get('by-tool'), (what) => new Error(what));
      expect(equal(reader.take(8), credentialHead)).toBe(true);
      const [blob, secret] = [reader.sized16(1000), reader.sized16(1000)];
      reader.end();
      const own = made(kind, nameOf(tpm.get('srk.pub')), random(32));
      expect([blob.length, secret.length]).toEqual([own.credentialBlob.length, own.encryptedSecret.length]);
    });
  });

  it('bind a storage key of their own to the TPM, by attributes that cannot be loaded otherwise', () => {
    expect(missingBinding(tpm.get('srk.pub'))).toBeUndefined();
    // A public area alone can be loaded with any attributes; without its private part it activates nothing.
    tpm.must(
      'tpm2_loadexternal',
      '-C',
      'n',
      '-u',
      tpm.putSized('srk.2b', tpm.get('srk.pub')),
      '-c',
      'public.ctx',
    );
    const credential = made('ecc', nameOf(tpm.get('srk.pub')), random(32));
    expect(activated('ecc', 'public.ctx', credential)).toBeUndefined();
    expect(activated('ecc', 'srk.ctx', credential)).toBeDefined();
  });
});
