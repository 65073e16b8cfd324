/**
 * The program's entry: arguments → rpc or command line → exit code; nothing else. The command line (with yargs) is loaded
 * only where it is asked for, so that the module's conversations start without it.
 */
import { composePorts, systemRandom } from './compose.ts';
import { VERSION } from './version.ts';

const idleMilliseconds = 10_000;

async function main(argv: readonly string[]): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const compose = (): ReturnType<typeof composePorts> => composePorts(process.env);
  if (argv[0] === 'rpc') {
    const { serveRpc } = await import('./cli/rpc/serve.ts');
    return serveRpc(argv.slice(1), {
      stdin,
      stdout,
      version: VERSION,
      compose,
      random: systemRandom,
      idleMilliseconds,
    });
  }
  if (argv.length === 1 && argv[0] === '--version') {
    stdout.write(`${VERSION}\n`);
    return 0;
  }
  const interruption = new AbortController();
  process.once('SIGINT', () => {
    interruption.abort();
  });
  // A reader that has seen enough (`| head`) is no failure: what was to be done is done, and the rest is not wanted.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const { runCommandLine } = await import('./cli/command-line.ts');
  return runCommandLine(argv, {
    stdin,
    stdout,
    stderr,
    version: VERSION,
    compose,
    interrupted: interruption.signal,
  });
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
  // What is still open is input that nobody will read.
  process.stdin.destroy();
});
