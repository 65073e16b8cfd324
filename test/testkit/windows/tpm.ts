/**
 * A simulated TPM that Windows programs reach as they reach a real one: by TPM Base Services, for which tbs.dll of the lane stands
 * in. It speaks TCP, the testkit's swtpm listens on a Unix socket, and this joins the two; so the testkit can ask the same TPM.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Swtpm } from '../swtpm.ts';

export class WindowsTpm {
  readonly swtpm: Swtpm;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor(swtpm: Swtpm) {
    this.swtpm = swtpm;
    this.#server = createServer((caller) => {
      const tpm = connect(swtpm.socket);
      for (const [socket, other] of [
        [caller, tpm],
        [tpm, caller],
      ] as const) {
        this.#open.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.#open.delete(socket);
          other.destroy();
        });
      }
      caller.pipe(tpm).pipe(caller);
    });
  }

  static async start(tries?: number): Promise<WindowsTpm> {
    const tpm = new WindowsTpm(await Swtpm.start(tries));
    tpm.#server.listen(0, '127.0.0.1');
    await once(tpm.#server, 'listening');
    return tpm;
  }

  /** For a rehearsal with this TPM. */
  get env(): Record<string, string> {
    return { SPMIGRATION_TPM: 'tbs', ...this.library };
  }

  /** Lets the stand-in be the system's library, and lead to this TPM. */
  get library(): Record<string, string> {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('it has ended');
    return { WINEDLLOVERRIDES: 'tbs=n', SPTBS_PORT: String(address.port) };
  }

  /** Ends it at once. */
  kill(): void {
    this.#server.close();
    this.swtpm.kill();
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.swtpm.stop();
  }
}
