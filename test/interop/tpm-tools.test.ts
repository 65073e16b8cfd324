/**
 * swtpm and tpm2-tools as witnesses: that our Names and policy digests are those a TPM computes, that it takes keys
 * handed over by the software chip and the other way round, and that it decides policy chains as `evaluate.ts` does.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { plain, toHex } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { createSoftwareChip } from '../../core/src/adapters/chip-software/software-chip.ts';
import { createFileSystem } from '../../core/src/adapters/system/node-file-system.ts';
import type { KeyBlob } from '../../core/src/domain/environment.ts';
import type { Chip } from '../../core/src/ports/chip.ts';
import { OBJECT } from '../../core/src/tpm2/constants.ts';
import { evaluateChain, type ChainReason, type Step } from '../../core/src/tpm2/evaluate.ts';
import { nameOf } from '../../core/src/tpm2/name.ts';
import {
  bukBranches,
  bukPolicy,
  delegationDigest,
  moveDigest,
  policyAuthorize,
  REF_ANY,
  refOne,
} from '../../core/src/tpm2/policy.ts';
import { decodePublic, encodePublic } from '../../core/src/tpm2/structures.ts';
import {
  basicUserKeyTemplate,
  isBasicUserKey,
  isStorageKey,
  isVaultKey,
  vaultKeyTemplate,
} from '../../core/src/tpm2/templates.ts';
import { makeAuthority } from '../testkit/chain.ts';
import { makeTemporaryFolder } from '../testkit/temporary-folder.ts';
import { duplicateByTools } from '../testkit/tool-hand-over.ts';
import { hasTpmTools, ToolRefusal, ToolTpm, type ToolOutcome } from '../testkit/tpm-tools.ts';

const random = (length: number): Uint8Array => plain(randomBytes(length));
const nonce = Uint8Array.from({ length: 16 }, (_, i) => i);
const otherNonce = new Uint8Array(16).fill(9);
const auth = new SecretBytes(new Uint8Array(32).fill(0x41));
const newAuth = new SecretBytes(new Uint8Array(32).fill(0x42));
const thirdAuth = new SecretBytes(new Uint8Array(32).fill(0x43));
const vaultAuth = new SecretBytes(new Uint8Array(32).fill(0x56));
const vaultKey = new SecretBytes(random(32));
const innerKey = new SecretBytes(random(16));
const hexAuth = (secret: SecretBytes): string => `hex:${toHex(secret.reveal)}`;

describe.skipIf(!hasTpmTools())('a TPM as witness', () => {
  const [a, b, c, stranger] = [makeAuthority(), makeAuthority(), makeAuthority(), makeAuthority()];
  const policy = bukPolicy(a.name, nonce);
  let tpm: ToolTpm;

  beforeAll(async () => {
    tpm = await ToolTpm.start();
    // Wrong passwords are part of the tests; the default is three, then a lock-out.
    tpm.must('tpm2_dictionarylockout', '-s', '-n', '1000', '-t', '1', '-l', '1');
    for (const [algorithm, file] of [
      ['ecc', 'srk-ecc'],
      ['rsa2048', 'srk-rsa'],
    ] as const) {
      const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt';
      tpm.must(
        'tpm2_createprimary',
        '-C',
        'o',
        '-G',
        `${algorithm}:null:aes128cfb`,
        '-a',
        attributes,
        '-c',
        file,
      );
      tpm.must('tpm2_readpublic', '-c', file, '-o', `${file}.pub`);
    }
  });
  afterAll(() => {
    tpm.stop();
  });

  /** Runs policy commands in a trial session and answers its digest. */
  function trial(...commands: readonly (readonly [tool: string, ...parameters: string[]])[]): string {
    tpm.must('tpm2_startauthsession', '-S', 'trial');
    try {
      for (const [tool, ...parameters] of commands)
        tpm.must(tool, '-S', 'trial', '-L', 'digest', ...parameters);
      return toHex(tpm.get('digest'));
    } finally {
      tpm.run('tpm2_flushcontext', 'trial');
    }
  }

  describe('digests', () => {
    test('Names', () => {
      for (const publicArea of [a.public, b.public]) {
        tpm.putSized('key.pub', publicArea);
        tpm.must('tpm2_loadexternal', '-C', 'o', '-u', 'key.pub', '-c', 'key', '-n', 'key.name');
        expect(toHex(tpm.get('key.name'))).toBe(toHex(nameOf(publicArea)));
      }
    });

    test('the approval of a move, for every key and for one', () => {
      const object = tpm.put('object.name', nameOf(a.public));
      const parent = tpm.put('parent.name', nameOf(b.public));
      const select = ['tpm2_policyduplicationselect', '-n', object, '-N', parent] as const;
      expect(trial(select)).toBe(toHex(moveDigest(undefined, nameOf(b.public))));
      expect(trial([...select, '--include-object'])).toBe(
        toHex(moveDigest(nameOf(a.public), nameOf(b.public))),
      );
    });

    test('a delegation, both branches, and the policy of a Basic User Key', () => {
      tpm.put('approved', new Uint8Array(32));
      const authorize = (name: Uint8Array, ref: Uint8Array): string =>
        trial([
          'tpm2_policyauthorize',
          ...['-i', 'approved', '-n', tpm.put('signer.name', name), '-q', tpm.put('ref', ref)],
        ]);
      const [any, one] = bukBranches(a.name, nonce);
      expect(authorize(a.name, REF_ANY)).toBe(toHex(any));
      expect(authorize(a.name, refOne(nonce))).toBe(toHex(one));
      expect(authorize(b.name, refOne(nonce))).toBe(toHex(delegationDigest(b.name, nonce)));
      const branches = `sha256:${tpm.put('any', any)},${tpm.put('one', one)}`;
      expect(trial(['tpm2_policyor', '-l', branches], ['tpm2_policyauthvalue'])).toBe(toHex(policy));
    });
  });

  describe('hand-over from software', () => {
    test.each(['srk-ecc', 'srk-rsa'])(
      '%s imports the key, loads it, and opens what was sealed',
      async (parent) => {
        const chip = createSoftwareChip({
          folder: await makeTemporaryFolder(),
          disk: createFileSystem('linux'),
          random,
        });
        await chip.provision();
        const newParent = tpm.getSized(`${parent}.pub`);
        expect(isStorageKey(newParent)).toBe(true);
        const buk = await chip.createBasicUserKey(policy, auth);
        const loaded = await chip.loadBasicUserKey(buk, auth);
        const sealed = await loaded.sealVaultKey(vaultKey, vaultAuth);
        const steps = [a.grant(nameOf(newParent))];
        const request = { newParent, steps, branches: bukBranches(a.name, nonce), innerKey };
        const { duplicate, seed } = await loaded.duplicate(request);
        await loaded.dispose();

        tpm.putSized('buk.pub', buk.public);
        tpm.putSized('buk.duplicate', duplicate);
        tpm.putSized('buk.seed', seed);
        tpm.put('inner', innerKey.reveal);
        const handedOver = ['-C', parent, '-u', 'buk.pub', '-i', 'buk.duplicate', '-s', 'buk.seed'];
        tpm.must('tpm2_import', ...handedOver, '-k', 'inner', '-r', 'buk.private');
        tpm.must(
          'tpm2_load',
          '-C',
          parent,
          '-u',
          'buk.pub',
          '-r',
          'buk.private',
          '-c',
          'buk',
          '-n',
          'buk.name',
        );
        expect(toHex(tpm.get('buk.name'))).toBe(toHex(nameOf(buk.public)));

        tpm.putSized('vault.pub', sealed.public);
        tpm.putSized('vault.private', sealed.private);
        const below = ['-C', 'buk', '-u', 'vault.pub', '-r', 'vault.private', '-c', 'vault'];
        tpm.must('tpm2_load', '-P', hexAuth(auth), ...below);
        tpm.must('tpm2_unseal', '-c', 'vault', '-p', hexAuth(vaultAuth), '-o', 'vault.data');
        expect(toHex(tpm.get('vault.data'))).toBe(toHex(vaultKey.reveal));

        expect(tpm.run('tpm2_load', '-P', hexAuth(vaultAuth), ...below)).toMatchObject({
          responseCode: '0x98e',
        });
        expect(tpm.run('tpm2_unseal', '-c', 'vault', '-p', hexAuth(auth))).toMatchObject({
          responseCode: '0x98e',
        });
        tpm.put('inner', random(16));
        expect(tpm.run('tpm2_import', ...handedOver, '-k', 'inner', '-r', 'refused')).toMatchObject({
          ok: false,
        });
      },
    );
  });

  describe('another authValue', () => {
    test.each(['srk-ecc', 'srk-rsa'])(
      'set by the software chip is the one that a TPM below %s demands, and a TPM sets another as the software chip does',
      async (parent) => {
        const chip = createSoftwareChip({
          folder: await makeTemporaryFolder(),
          disk: createFileSystem('linux'),
          random,
        });
        await chip.provision();
        const newParent = tpm.getSized(`${parent}.pub`);
        const buk = await chip.createBasicUserKey(policy, auth);
        const loaded = await chip.loadBasicUserKey(buk, auth);
        const sealed = await loaded.sealVaultKey(vaultKey, vaultAuth);
        const changed = await loaded.changeAuth(newAuth);
        await loaded.dispose();
        const again = await chip.loadBasicUserKey(changed, newAuth);
        const steps = [a.grant(nameOf(newParent))];
        const { duplicate, seed } = await again.duplicate({
          newParent,
          steps,
          branches: bukBranches(a.name, nonce),
          innerKey,
        });
        await again.dispose();

        tpm.putSized('buk.pub', buk.public);
        tpm.putSized('buk.duplicate', duplicate);
        tpm.putSized('buk.seed', seed);
        tpm.put('inner', innerKey.reveal);
        tpm.must(
          'tpm2_import',
          ...['-C', parent, '-u', 'buk.pub', '-i', 'buk.duplicate', '-s', 'buk.seed'],
          ...['-k', 'inner', '-r', 'buk.private'],
        );
        tpm.putSized('vault.pub', sealed.public);
        tpm.putSized('vault.private', sealed.private);
        tpm.must('tpm2_load', '-C', parent, '-u', 'buk.pub', '-r', 'buk.private', '-c', 'buk');
        requireOpensUnder(newAuth, auth);
        tpm.must(
          'tpm2_changeauth',
          ...['-C', parent, '-c', 'buk', '-p', hexAuth(newAuth), '-r', 'third.private', hexAuth(thirdAuth)],
        );
        // As with ours: the key that is loaded and the old blob keep the old authValue, the new blob has the new one.
        requireOpensUnder(newAuth, thirdAuth);
        tpm.must('tpm2_load', '-C', parent, '-u', 'buk.pub', '-r', 'third.private', '-c', 'buk');
        requireOpensUnder(thirdAuth, newAuth);
        expect(
          tpm.run(
            'tpm2_changeauth',
            ...['-C', parent, '-c', 'buk', '-p', hexAuth(auth), '-r', 'no.private', hexAuth(auth)],
          ),
        ).toMatchObject({ responseCode: '0x98e' });
      },
    );

    /** The vault key below the loaded key `buk` opens with the one authValue of its parent and not with the other. */
    function requireOpensUnder(right: SecretBytes, wrong: SecretBytes): void {
      const below = ['-C', 'buk', '-u', 'vault.pub', '-r', 'vault.private', '-c', 'vault'];
      tpm.must('tpm2_load', '-P', hexAuth(right), ...below);
      tpm.must('tpm2_unseal', '-c', 'vault', '-p', hexAuth(vaultAuth), '-o', 'vault.data');
      expect(toHex(tpm.get('vault.data'))).toBe(toHex(vaultKey.reveal));
      expect(tpm.run('tpm2_load', '-P', hexAuth(wrong), ...below)).toMatchObject({ responseCode: '0x98e' });
    }
  });

  describe('hand-over from the TPM', () => {
    let chip: Chip;
    let newParent: Uint8Array;
    let buk: KeyBlob;

    beforeEach(async () => {
      chip = createSoftwareChip({
        folder: await makeTemporaryFolder(),
        disk: createFileSystem('linux'),
        random,
      });
      newParent = await chip.provision();
      tpm.put('policy', policy);
      tpm.must(
        'tpm2_create',
        ...['-C', 'srk-ecc', '-G', 'ecc:null:aes128cfb', '-L', 'policy', '-p', hexAuth(auth)],
        ...['-a', 'restricted|decrypt|userwithauth|sensitivedataorigin|encryptedduplication'],
        ...['-u', 'own.pub', '-r', 'own.private', '-c', 'own'],
      );
      buk = { public: tpm.getSized('own.pub'), private: tpm.getSized('own.private') };
    });

    /** The session of `evaluate.ts`; throws ToolRefusal where the TPM stops. */
    function duplicateByTpm(
      steps: readonly Step[],
      { branches = bukBranches(a.name, nonce), authValue = auth, parent = newParent } = {},
    ): void {
      const request = { newParent: parent, steps, branches, innerKey };
      duplicateByTools(tpm, { ...request, key: 'own', publicArea: buk.public, authValue });
    }

    test('a key that had another authValue by TPM2_ObjectChangeAuth comes with the new one', async () => {
      tpm.put('vault.data', vaultKey.reveal);
      tpm.must(
        'tpm2_create',
        ...['-C', 'own', '-P', hexAuth(auth), '-i', 'vault.data', '-p', hexAuth(vaultAuth)],
        ...[
          '-a',
          'fixedparent|userwithauth|encryptedduplication',
          '-u',
          'sealed.pub',
          '-r',
          'sealed.private',
        ],
      );
      const sealed = { public: tpm.getSized('sealed.pub'), private: tpm.getSized('sealed.private') };
      tpm.must(
        'tpm2_changeauth',
        ...['-C', 'srk-ecc', '-c', 'own', '-p', hexAuth(auth), '-r', 'changed.private', hexAuth(newAuth)],
      );
      tpm.must('tpm2_load', '-C', 'srk-ecc', '-u', 'own.pub', '-r', 'changed.private', '-c', 'own');
      const steps = [a.grant(nameOf(newParent))];
      expect(() => {
        duplicateByTpm(steps);
      }).toThrow(ToolRefusal);
      duplicateByTpm(steps, { authValue: newAuth });
      const handedOver = { duplicate: tpm.getSized('own.duplicate'), seed: tpm.getSized('own.seed') };
      const arrived = await chip.importBasicUserKey(buk.public, handedOver, innerKey);
      const loaded = await chip.loadBasicUserKey(arrived, newAuth);
      using opened = await loaded.openVaultKey(sealed, vaultAuth);
      expect(toHex(opened.reveal)).toBe(toHex(vaultKey.reveal));
      const withOld = await chip.loadBasicUserKey(arrived, auth);
      await expect(withOld.openVaultKey(sealed, vaultAuth)).rejects.toMatchObject({
        code: 'PasswordRejected',
      });
      await loaded.dispose();
      await withOld.dispose();
    });

    test('the software chip takes the key and opens what the TPM sealed', async () => {
      expect(isBasicUserKey(buk.public, policy)).toBe(true);
      tpm.put('vault.data', vaultKey.reveal);
      tpm.must(
        'tpm2_create',
        ...['-C', 'own', '-P', hexAuth(auth), '-i', 'vault.data', '-p', hexAuth(vaultAuth)],
        ...[
          '-a',
          'fixedparent|userwithauth|encryptedduplication',
          '-u',
          'sealed.pub',
          '-r',
          'sealed.private',
        ],
      );
      const sealed = { public: tpm.getSized('sealed.pub'), private: tpm.getSized('sealed.private') };
      expect(isVaultKey(sealed.public)).toBe(true);

      duplicateByTpm([b.moveOne(nonce, nameOf(newParent)), a.delegate(nonce, b)]);
      const handedOver = { duplicate: tpm.getSized('own.duplicate'), seed: tpm.getSized('own.seed') };
      const arrived = await chip.importBasicUserKey(buk.public, handedOver, innerKey);
      const loaded = await chip.loadBasicUserKey(arrived, auth);
      const opened = await loaded.openVaultKey(sealed, vaultAuth);
      expect(toHex(opened.reveal)).toBe(toHex(vaultKey.reveal));
      await expect(loaded.openVaultKey(sealed, auth)).rejects.toMatchObject({ code: 'PasswordRejected' });
      await loaded.dispose();
      await expect(
        chip.importBasicUserKey(buk.public, handedOver, new SecretBytes(random(16))),
      ).rejects.toMatchObject({ code: 'PasswordRejected' });
    });

    test('templates without a unique part are what the TPM was asked for', () => {
      const unchosen = '00000000';
      expect(
        toHex(buk.public).startsWith(toHex(basicUserKeyTemplate(policy)).slice(0, -unchosen.length)),
      ).toBe(true);
      expect(toHex(vaultKeyTemplate())).toBe('0008000b00000850000000100000');
    });

    /** Where a TPM stops for each of our reasons, and with which response code. */
    const stages: Readonly<Record<Exclude<ChainReason, 'irregular' | 'empty'>, readonly [string, string]>> = {
      // An authority without `sign` has a scheme that it may not use: TPM_RC_SCHEME, before any signature is looked at.
      signer: ['tpm2_loadexternal', '0x2d2'],
      signature: ['tpm2_verifysignature', '0x2db'],
      mismatch: ['tpm2_policyauthorize', '0x1c4'],
      branch: ['tpm2_policyor', '0x1c4'],
      authority: ['tpm2_duplicate', '0x99d'],
      user: ['tpm2_duplicate', '0x98e'],
    };

    test('chains are decided alike, at the same stage', { timeout: 120_000 }, () => {
      const here = nameOf(newParent);
      const elsewhere = nameOf(tpm.getSized('srk-rsa.pub'));
      const byB = b.moveOne(nonce, here);
      const wrong = new SecretBytes(new Uint8Array(32).fill(0x42));
      const any = bukBranches(a.name, nonce)[0];
      type Case = readonly [
        what: string,
        steps: readonly Step[],
        change?: { branches?: [Uint8Array, Uint8Array]; authValue?: SecretBytes },
      ];
      const cases: readonly Case[] = [
        ['grant', [a.grant(here)]],
        ['grant for this key', [a.grant(here, nameOf(buk.public))]],
        ['move under refOne', [a.moveOne(nonce, here)]],
        ['one delegation', [byB, a.delegate(nonce, b)]],
        ['two delegations', [c.moveOne(nonce, here), b.delegate(nonce, c), a.delegate(nonce, b)]],
        ['wrong password', [a.grant(here)], { authValue: wrong }],
        ['no delegation', [byB]],
        ["stranger's grant", [stranger.grant(here)]],
        ["stranger's signature", [{ ...stranger.grant(here), authority: a.public }]],
        ['signer without sign', [{ ...a.grant(here), authority: withoutSign(a.public) }]],
        ['grant for elsewhere', [a.grant(elsewhere)]],
        ['grant for another key', [a.grant(here, a.name)]],
        ['delegate under refAny', [b.grant(here), a.delegate(nonce, b)]],
        ["another key's delegation", [b.moveOne(otherNonce, here), a.delegate(otherNonce, b)]],
        ["another key's delegation, one step", [byB, a.delegate(otherNonce, b)]],
        ['relabelled delegation', [byB, { ...a.delegate(otherNonce, b), policyRef: refOne(nonce) }]],
        ['steps in the wrong order', [a.delegate(nonce, b), byB]],
        ['delegation missing in the middle', [c.moveOne(nonce, here), a.delegate(nonce, b)]],
        [
          "another key's branches",
          [a.moveOne(otherNonce, here)],
          { branches: bukBranches(a.name, otherNonce) },
        ],
        ['branches swapped', [a.grant(here)], { branches: [policyAuthorize(a.name, refOne(nonce)), any] }],
        ["stranger's branches", [stranger.grant(here)], { branches: bukBranches(stranger.name, nonce) }],
      ];
      const decided = cases.map(([what, steps, change = {}]) => {
        const branches = change.branches ?? bukBranches(a.name, nonce);
        const verdict = evaluateChain({
          authPolicy: policy,
          object: nameOf(buk.public),
          newParent: here,
          steps,
          branches,
          user: change.authValue === undefined,
        });
        return {
          what,
          verdict,
          answer: attempt(() => {
            duplicateByTpm(steps, change);
          }),
        };
      });
      for (const { what, verdict, answer } of decided) {
        if (verdict.kind === 'allowed') {
          expect(answer, what).toBeUndefined();
          continue;
        }
        if (verdict.reason === 'irregular' || verdict.reason === 'empty')
          throw new Error(`${what}: not for a TPM`);
        const [tool, responseCode] = stages[verdict.reason];
        expect(answer, `${what}: ${verdict.reason}`).toMatchObject({ tool, responseCode });
      }
      expect(decided.filter(({ verdict }) => verdict.kind === 'allowed')).toHaveLength(5);
    });

    test('an irregular chain is followed by the TPM: why nobody may sign one, and software refuses it', () => {
      const here = nameOf(newParent);
      const peer = a.approve(policyAuthorize(b.name, REF_ANY), REF_ANY);
      const steps = [b.grant(here), peer];
      duplicateByTpm(steps);
      const question = { authPolicy: policy, object: nameOf(buk.public), newParent: here, steps, user: true };
      expect(evaluateChain({ ...question, branches: bukBranches(a.name, nonce) })).toMatchObject({
        reason: 'irregular',
      });
    });
  });
});

/** The same public area with the attribute `sign` cleared. */
function withoutSign(publicArea: Uint8Array): Uint8Array {
  const area = decodePublic(publicArea);
  if (area === undefined) throw new Error('not a public area');
  return encodePublic({ ...area, objectAttributes: area.objectAttributes & ~OBJECT.sign });
}

/** The refusal that ended `work`, or undefined where it went through. */
function attempt(work: () => void): ToolOutcome | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof ToolRefusal) return error.outcome;
    throw error;
  }
}
