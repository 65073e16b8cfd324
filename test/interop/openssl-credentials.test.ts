/**
 * OpenSSL, Java and .NET as witnesses for credentials: PFX files in every encryption they write are read, the ones made
 * here are read by them, and certificates and requests made here hold what they show and verify.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plain, toHex, utf8 } from '../../core/src/bytes/bytes.ts';
import { SecretBytes } from '../../core/src/bytes/secret-bytes.ts';
import { decodeCertificateFile } from '../../core/src/crypto/certificate-file.ts';
import { encodePem } from '../../core/src/crypto/pem.ts';
import { openPkcs12, sealPkcs12, type Pkcs12Entry } from '../../core/src/crypto/pkcs12.ts';
import { generatePrivateKey, readPrivateKey, type NewKeyKind } from '../../core/src/crypto/private-key.ts';
import { describeCertificate } from '../../core/src/crypto/x509.ts';
import { buildCertificationRequest, buildSelfSigned } from '../../core/src/crypto/x509-making.ts';
import { hasCode } from '../../core/src/domain/error.ts';
import { havePowerShell, runPowerShell } from '../testkit/powershell.ts';
import { has, meets } from '../testkit/requirement.ts';

const password = 'pä€ss 🙂';
const friendlyName = 'Änna ✓';
const random = (length: number): Uint8Array => plain(randomBytes(length));
const open = (pfx: Uint8Array, text = password): readonly Pkcs12Entry[] =>
  openPkcs12(pfx, new SecretBytes(utf8(text)), 'a.pfx');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spmigration-openssl-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const file = (name: string): string => join(folder, name);
const read = (name: string): Uint8Array => plain(readFileSync(file(name)));
const write = (name: string, content: Uint8Array | string): void => {
  writeFileSync(file(name), content);
};

/** Runs OpenSSL in the folder and returns what it prints. A word may not hold blanks: those come in `more`. */
function openssl(command: string, ...more: readonly string[]): string {
  return execFileSync('openssl', [...command.split(' ').filter((word) => word !== ''), ...more], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

const kinds = { rsa: 'rsa:2048', p256: 'P-256', p384: 'P-384' } as const;
type Kind = keyof typeof kinds;

/** A root (RSA), an authority (P-384), and a person's certificate for each kind of key. */
function makeAuthorities(): void {
  openssl('req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 3650 -subj', '/CN=Root');
  write('ca.ext', 'basicConstraints=critical,CA:TRUE\n');
  openssl('ecparam -genkey -name secp384r1 -noout -out sub.key');
  openssl('req -new -key sub.key -out sub.csr -subj', '/CN=Sub');
  openssl('x509 -req -in sub.csr -CA root.pem -CAkey root.key -days 999 -extfile ca.ext -out sub.pem');
  write('chain.pem', Buffer.concat([read('root.pem'), read('sub.pem')]));
  for (const [name, kind] of Object.entries(kinds)) {
    const algorithm = kind.startsWith('P-') ? `ec -pkeyopt ec_paramgen_curve:${kind}` : kind;
    openssl(
      `req -new -newkey ${algorithm} -nodes -keyout ${name}.key -out ${name}.csr -utf8 -subj`,
      '/O=Beispiel, Söhne/CN=Anna Müller/emailAddress=anna@example.org',
    );
    openssl(`x509 -req -in ${name}.csr -CA sub.pem -CAkey sub.key -days 99 -out ${name}.pem`);
  }
}

/** What every PFX of this kind must give. */
function expected(kind: Kind) {
  const der = (name: string): string => toHex(decodeCertificateFile(read(name), name).certificate);
  openssl(`pkcs8 -topk8 -nocrypt -in ${kind}.key -outform DER -out ${kind}.der`);
  return [
    {
      privateKey: toHex(read(`${kind}.der`)),
      certificate: der(`${kind}.pem`),
      chain: [der('sub.pem'), der('root.pem')],
      friendlyName,
    },
  ];
}

function shown(entries: readonly Pkcs12Entry[]) {
  return entries.map(({ privateKey, certificate, chain, friendlyName: name }) => ({
    privateKey: toHex(privateKey.reveal),
    certificate: certificate === undefined ? undefined : toHex(certificate),
    chain: chain.map(toHex),
    friendlyName: name,
  }));
}

/** A PFX of a person with the whole chain, as `openssl pkcs12 -export` makes it with these switches. */
function exported(kind: Kind, switches: string, text = password): Uint8Array {
  const files = `-inkey ${kind}.key -in ${kind}.pem -certfile chain.pem -out made.pfx`;
  openssl(`pkcs12 -export ${switches} ${files} -name`, friendlyName, '-passout', `pass:${text}`);
  return read('made.pfx');
}

const encryptions: readonly string[] = [
  ...['AES-128-CBC', 'AES-192-CBC', 'AES-256-CBC'].map((name) => `-keypbe ${name} -certpbe ${name}`),
  ...['3DES', 'RC2-40', 'RC2-128'].map(
    (name) => `-legacy -keypbe PBE-SHA1-${name} -certpbe PBE-SHA1-${name} -macalg sha1`,
  ),
  '-legacy -descert',
  '-keypbe NONE -certpbe NONE',
  '-keypbe AES-256-CBC -certpbe NONE',
  '-keypbe DES-EDE3-CBC -certpbe AES-256-CBC',
  '-macalg sha1',
  '-macalg sha256 -iter 20000',
  '-macalg sha384',
  '-macalg sha512',
  '-nomaciter',
  '-nomac',
];

describe.skipIf(!has('openssl'))('OpenSSL', () => {
  beforeAll(() => {
    makeAuthorities();
  });

  describe.each([
    ['rsa', encryptions],
    ['p256', encryptions],
    ['p384', encryptions.slice(0, 3)],
  ] as [Kind, readonly string[]][])('a PFX with a key %s', (kind, those) => {
    test.each(those)('%s', (switches) => {
      const pfx = exported(kind, switches);
      expect(shown(open(pfx))).toEqual(expected(kind));
      expect(codeOf(() => open(pfx, 'wrong'))).toBe('PfxPasswordRejected');
      expect(codeOf(() => open(pfx, ''))).toBe('PfxPasswordRequired');
    });
  });

  test('a PFX without password, and one without a key', () => {
    expect(shown(open(exported('p256', '', ''), ''))).toEqual(expected('p256'));
    openssl('pkcs12 -export -nokeys -in p256.pem -out made.pfx -passout pass:x');
    expect(codeOf(() => open(read('made.pfx'), 'x'))).toBe('PfxWithoutKey');
  });

  test('a key that is too short', () => {
    openssl('req -x509 -newkey rsa:1024 -nodes -keyout short.key -out short.pem -subj', '/CN=Short');
    openssl('pkcs12 -export -inkey short.key -in short.pem -out made.pfx -passout pass:x');
    expect(codeOf(() => open(read('made.pfx'), 'x'))).toBe('AlgorithmUnsupported');
  });

  test.each(['rsa', 'p256', 'p384'] as const)('reads a PFX made here: %s', (kind) => {
    const entries = open(exported(kind, ''));
    write('ours.pfx', sealPkcs12(entries, new SecretBytes(utf8(password)), random));
    const info = spawnSync(
      'openssl',
      ['pkcs12', '-in', 'ours.pfx', '-info', '-nodes', '-passin', `pass:${password}`],
      { cwd: folder, encoding: 'utf8' },
    );
    expect(info.status).toBe(0);
    expect(info.stderr).toContain('MAC: sha256, Iteration 10000');
    expect(info.stderr).toContain('PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256');
    expect(info.stdout.match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
    write('ours.key', openssl('pkcs12 -in ours.pfx -nocerts -nodes -passin', `pass:${password}`));
    openssl('pkcs8 -topk8 -nocrypt -in ours.key -outform DER -out ours.der');
    expect(toHex(read('ours.der'))).toBe(expected(kind)[0]?.privateKey);
  });

  test('a PKCS#7 file of the chain', () => {
    openssl('crl2pkcs7 -nocrl -certfile chain.pem -certfile rsa.pem -outform DER -out chain.p7b');
    openssl('crl2pkcs7 -nocrl -certfile chain.pem -certfile rsa.pem -out chain.pem.p7b');
    for (const name of ['chain.p7b', 'chain.pem.p7b']) {
      const { certificate, chain } = decodeCertificateFile(read(name), name);
      const [wanted] = expected('rsa');
      expect(toHex(certificate)).toBe(wanted?.certificate);
      expect(chain.map(toHex)).toEqual(wanted?.chain);
    }
  });

  test('describes a certificate as OpenSSL does', () => {
    const der = decodeCertificateFile(read('rsa.pem'), 'rsa.pem').certificate;
    const shows = (what: string): string => openssl(`x509 -in rsa.pem -noout -${what}`).trim();
    const description = describeCertificate(der, 'rsa.pem');
    expect(`serial=${description.serialNumber}`).toBe(shows('serial'));
    expect(description.thumbprint).toBe(shows('fingerprint').replace(/^.*=/, '').replaceAll(':', ''));
    expect(`notAfter=${description.notAfter}`).toBe(
      `notAfter=${Date.parse(shows('enddate').replace('notAfter=', '')) / 1000}`,
    );
    expect(description.subject).toBe('E=anna@example.org, CN=Anna Müller, O=Beispiel\\, Söhne');
    expect(description.emailAddresses).toEqual(['anna@example.org']);
  });

  describe.each(['RSA-3072', 'P-256'] as const)('made here with a key %s', (kind) => {
    const wanted = async (of: NewKeyKind) => ({
      privateKey: (await generatePrivateKey(of)).pkcs8,
      subject: 'CN=Anna Müller, O=Beispiel\\, Söhne, C=DE',
      emailAddresses: ['anna@example.org'],
      purposes: ['emailProtection', 'clientAuthentication', 'fileEncryption'] as const,
    });

    test('a self-signed certificate', async () => {
      const validity = { notBefore: 1_767_225_600, notAfter: 2_767_225_600, serialNumber: random(16) };
      write(
        'own.pem',
        encodePem('CERTIFICATE', await buildSelfSigned({ ...(await wanted(kind)), ...validity })),
      );
      expect(openssl('verify -x509_strict -no_check_time -CAfile own.pem own.pem')).toBe('own.pem: OK\n');
      const text = openssl('x509 -in own.pem -noout -text -nameopt utf8,sep_comma_plus_space');
      for (const part of [
        'Subject: C=DE, O=Beispiel, Söhne, CN=Anna Müller',
        'CA:FALSE',
        'E-mail Protection, TLS Web Client Authentication, Microsoft Encrypted File System',
        'email:anna@example.org',
        `Digital Signature, ${kind === 'P-256' ? 'Key Agreement' : 'Key Encipherment'}`,
      ]) {
        expect(text).toContain(part);
      }
    });

    test('a request, and the certificate that is issued for it', async () => {
      const parameters = await wanted(kind);
      write('own.csr', encodePem('CERTIFICATE REQUEST', await buildCertificationRequest(parameters)));
      const verified = spawnSync('openssl', ['req', '-in', 'own.csr', '-noout', '-verify', '-text'], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(verified.stderr).toContain('verify OK');
      expect(verified.stdout).toContain('email:anna@example.org');
      openssl('x509 -req -in own.csr -CA sub.pem -CAkey sub.key -copy_extensions copyall -out own.pem');
      const { certificate } = decodeCertificateFile(read('own.pem'), 'own.pem');
      expect(describeCertificate(certificate, 'x')).toMatchObject({
        subject: 'CN=Anna Müller, O=Beispiel\\, Söhne, C=DE',
        issuer: 'CN=Sub',
        emailAddresses: ['anna@example.org'],
        publicKey: readPrivateKey(parameters.privateKey, 'x').publicKey,
      });
    });
  });
});

const hasKeytool = spawnSync('keytool', ['-help'], { stdio: 'ignore' }).error === undefined;

describe.skipIf(!meets('keytool', hasKeytool))('Java', () => {
  test('a key store with two keys', () => {
    const make = (name: string, algorithm: string): unknown =>
      execFileSync(
        'keytool',
        [
          ...`-genkeypair -keystore java.p12 -storetype PKCS12 -storepass secret -alias ${name} -dname`.split(
            ' ',
          ),
          `CN=${name}`,
          ...algorithm.split(' '),
        ],
        { cwd: folder, stdio: 'pipe' },
      );
    make('first', '-keyalg RSA -keysize 2048');
    make('second', '-keyalg EC -groupname secp256r1');
    const entries = open(read('java.p12'), 'secret');
    expect(
      entries
        .map(({ certificate, friendlyName: name }) => [
          name,
          describeCertificate(certificate ?? new Uint8Array(0), 'x').subject,
        ])
        .sort(),
    ).toEqual([
      ['first', 'CN=first'],
      ['second', 'CN=second'],
    ]);
    expect(codeOf(() => open(read('java.p12'), 'wrong'))).toBe('PfxPasswordRejected');
  });

  test('reads a PFX made here', async () => {
    const entries = await madeHere();
    write('ours.p12', sealPkcs12(entries, new SecretBytes(utf8('secret')), random));
    const listed = execFileSync(
      'keytool',
      '-list -keystore ours.p12 -storetype PKCS12 -storepass secret'.split(' '),
      { cwd: folder, encoding: 'utf8' },
    );
    expect(listed.match(/PrivateKeyEntry/g)).toHaveLength(2);
    expect(listed).toMatch(/^p-256,/m);
  });
});

describe.skipIf(!havePowerShell())('.NET', () => {
  test('reads a PFX made here, with its keys', async () => {
    write('ours.pfx', sealPkcs12(await madeHere(), new SecretBytes(utf8(password)), random));
    const { stdout, stderr } = await runPowerShell({
      command: `
        $found = [System.Security.Cryptography.X509Certificates.X509Certificate2Collection]::new()
        $found.Import($env:PFX_PATH, $env:PFX_PASSWORD, 'EphemeralKeySet')
        $found | ForEach-Object { '{0} {1}' -f $_.Subject, $_.HasPrivateKey }`,
      env: { PFX_PATH: file('ours.pfx'), PFX_PASSWORD: password },
    });
    expect(stderr).toBe('');
    expect(stdout.trim().split(/\r?\n/).sort()).toEqual(['CN=P-256 True', 'CN=RSA-3072 True']);
  });
});

/** One entry of each kind that this product makes. */
async function madeHere(): Promise<readonly Pkcs12Entry[]> {
  return Promise.all(
    (['RSA-3072', 'P-256'] as const).map(async (kind) => {
      const { pkcs8 } = await generatePrivateKey(kind);
      const certificate = await buildSelfSigned({
        privateKey: pkcs8,
        subject: kind,
        emailAddresses: [],
        purposes: ['emailProtection'],
        notBefore: 1_767_225_600,
        notAfter: 2_767_225_600,
        serialNumber: random(16),
      });
      return { privateKey: pkcs8, certificate, chain: [], friendlyName: kind };
    }),
  );
}

function codeOf(action: () => unknown): string {
  const codes = [
    'PfxPasswordRejected',
    'PfxPasswordRequired',
    'PfxWithoutKey',
    'AlgorithmUnsupported',
  ] as const;
  try {
    action();
  } catch (error) {
    const code = codes.find((candidate) => hasCode(error, candidate));
    if (code !== undefined) return code;
    throw error;
  }
  return 'no error';
}
