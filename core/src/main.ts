/**
 * The program's entry: arguments → rpc or command line → exit code; nothing else. The command line (with yargs) is loaded
 * only where it is asked for, so that the module's conversations start without it.
 */
import { composePorts } from './compose.ts';
import { VERSION } from './version.ts';

const idleMilliseconds = 10_000;

async function main(argv: readonly string[]): Promise<number> {
  const compose = (): ReturnType<typeof composePorts> => composePorts(process.env);
  if (argv[0] === 'rpc') {
    const { serveRpc } = await import('./cli/rpc/serve.ts');
    const { stdin, stdout } = process;
    return serveRpc(argv.slice(1), { stdin, stdout, version: VERSION, compose, idleMilliseconds });
  }
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  const { runCommandLine } = await import('./cli/command-line.ts');
  return runCommandLine(argv, { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, version: VERSION, compose });
}

process.exitCode = await main(process.argv.slice(2));
process.stdin.unref?.();
