/**
 * Which way leads to this computer's TPM. Outside of rehearsals the system decides and no environment variable is asked,
 * so that nobody can put a TPM of their own in the place of the real one. In a rehearsal SPMIGRATION_TPM names a simulated
 * TPM on this machine; the real one is touched only where it names that. Opens and loads nothing before the TPM is asked for.
 */
import { posix } from 'node:path';
import { fail } from '../../../domain/error.ts';
import type { SocketAddress } from './socket.ts';
import type { OpenTransport } from './transport.ts';

export interface TransportChoice {
  readonly system: NodeJS.Platform;
  readonly rehearsal: boolean;
  /** The environment variable SPMIGRATION_TPM; empty is as good as absent. */
  readonly tpm: string | undefined;
}

/** How to open the TPM; undefined where there can be none. `ParameterInvalid` for an SPMIGRATION_TPM of another form. */
export function findTransport({ system, rehearsal, tpm }: TransportChoice): OpenTransport | undefined {
  if (rehearsal) return tpm === undefined || tpm === '' ? undefined : named(tpm, system);
  if (system === 'linux') return async () => (await import('./linux-device.ts')).openLinuxDevice();
  if (system === 'win32') return async () => (await import('./tbs.ts')).openTbs();
  return undefined;
}

const socketAt =
  (address: SocketAddress): OpenTransport =>
  async () =>
    (await import('./socket.ts')).openSocket(address);

const tcp = /^(?:(127\.0\.0\.1|localhost)|\[(::1)\]):([1-9][0-9]{0,4})$/;
const highestPort = 65_535;

/** The simulated TPM that `tpm` names: loopback only, for what goes over it is protected for a bus and not for a network. */
function named(tpm: string, system: NodeJS.Platform): OpenTransport {
  const [, name, address, digits] = tcp.exec(tpm) ?? [];
  const host = name ?? address;
  const port = Number(digits);
  if (host !== undefined && port <= highestPort) return socketAt({ host, port });

  const [, scheme, path = ''] = /^(unix|tbs):([^\0]+)$/.exec(tpm) ?? [];
  // On Windows such a path may be a pipe of another computer.
  if (system !== 'win32' && scheme === 'unix' && posix.isAbsolute(path)) return socketAt({ path });
  // On Windows the system's own library only: a shell with more rights may have inherited the variable from one with fewer.
  if (system === 'win32' && tpm === 'tbs') return async () => (await import('./tbs.ts')).openTbs();
  if (system !== 'win32' && scheme === 'tbs' && posix.isAbsolute(path)) {
    return async () => (await import('./tbs.ts')).openTbs(path);
  }

  throw fail('ParameterInvalid', {
    parameter: 'SPMIGRATION_TPM',
    problem:
      'it must be 127.0.0.1:2321, [::1]:2321 or localhost:2321 (with any port), unix:/path of a socket, or on Windows tbs',
  });
}
