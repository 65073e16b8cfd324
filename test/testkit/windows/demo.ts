/** The demonstration on the Windows lane: what its computers are simulated on, and what Anna does with her keys there. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Correspondence } from '../../../scripts/demo/correspondence.ts';
import type { Ground } from '../../../scripts/demo/ground.ts';
import type { KeyUse } from '../../../scripts/demo/key-use.ts';
import type { SimulatedComputer, StepOutput } from '../../../scripts/demo/simulated-computer.ts';
import { WINDOWS_USER } from '../../../scripts/windows/lane.ts';
import { Computer } from '../computer.ts';
import { keptFiles } from '../kept-files.ts';
import { windowsPath } from './lane.ts';
import { WindowsTpm } from './tpm.ts';

export const windowsGround: Ground = {
  user: WINDOWS_USER,
  path: windowsPath,
  startTpm: (tries) => WindowsTpm.start(tries),
};

/** One of Anna's certificates, from the file that the demonstration's CA wrote. */
interface Issued {
  readonly label: string;
  readonly subject: string;
  readonly thumbprint: string;
  /** SubjectPublicKeyInfo in hex. */
  readonly publicKey: string;
  /** What .NET calls the public key: the bit string in it. */
  readonly bits: string;
}

/**
 * The keys go into the certificate store and out again, and the testkit opens the environment in which they lie. Wine's store
 * can do no more with keys (docs/windows-checklist.md); that it holds and finds certificates is shown.
 */
export class StoreAndOpen implements KeyUse {
  readonly first = 'puts both keys into the certificate store and takes them out';
  readonly later = 'puts the same keys into the certificate store and takes them out';
  readonly witness = 'openssl';
  readonly proof = 'has made the very keys that were in all three environments';
  readonly #folder: string;
  readonly #found = new Map<string, readonly string[]>();

  /** `folder`: where the demonstration is. */
  constructor(_letters: Correspondence, folder: string) {
    this.#folder = join(folder, 'correspondence');
  }

  async use(computer: SimulatedComputer, password: string): Promise<StepOutput> {
    const certificate = join(this.#folder, 'sign.pem');
    const script = join(import.meta.dirname, 'store-keys.ps1');
    const lines = await computer.run(script, [certificate], [password]);
    const [sign, mail] = [this.#issued('sign', 'Anna (signature)'), this.#issued('mail', 'Anna (e-mail)')];
    const issued = [sign, mail];
    const expected = [
      `installed ${mail.thumbprint}: True`,
      ...issued.flatMap(({ label, subject, bits }) => [
        `found 1 for ${label}: ${subject}, ${bits}`,
        `left of ${label}: 0`,
      ]),
      'others are as they were: True',
    ];
    if (JSON.stringify([...lines].sort()) !== JSON.stringify(expected.sort()))
      throw new Error(
        `The store of ${computer.name} answered:\n${lines.join('\n')}\nnot:\n${expected.join('\n')}`,
      );
    const opened = await Computer.at(computer.state, {}, undefined, computer.tpm?.swtpm.address);
    this.#found.set(computer.name, (await keptFiles(opened, [password])).at(-1)?.publicKeys ?? []);
    return lines;
  }

  prove(): Promise<StepOutput> {
    const made = ['mail', 'sign'].map((name) => this.#issued(name, '').publicKey).sort();
    for (const name of ['PC-A', 'PC-B', 'PC-C']) {
      const found = [...(this.#found.get(name) ?? [])].sort();
      if (JSON.stringify(found) !== JSON.stringify(made))
        return Promise.reject(new Error(`${name} held ${found.join()} instead of ${made.join()}`));
    }
    return Promise.resolve(made.map((key) => `PC-A, PC-B and PC-C held ${key.slice(0, 60)}…`));
  }

  #issued(name: string, label: string): Issued {
    const certificate = new X509Certificate(readFileSync(join(this.#folder, `${name}.pem`)));
    const spki = certificate.publicKey.export({ format: 'der', type: 'spki' });
    // The key's bit string is all that is behind the algorithm; P-256 points have 65 bytes, RSA keys are told by PKCS#1.
    const bits =
      certificate.publicKey.asymmetricKeyType === 'rsa'
        ? certificate.publicKey.export({ format: 'der', type: 'pkcs1' })
        : spki.subarray(-65);
    return {
      label,
      subject: `CN=${label}`,
      thumbprint: createHash('sha1').update(certificate.raw).digest('hex').toUpperCase(),
      publicKey: spki.toString('hex'),
      bits: bits.toString('base64'),
    };
  }
}
