import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../harness/condition.ts';

/** A real TURN server on the tests' own network, which takes the credentials that follow from a secret. */
export interface Coturn {
  /** Its whole log. */
  log(): string;
  stop(): void;
}

export async function startCoturn(options: {
  readonly address: string;
  readonly port: number;
  readonly secret: string;
}): Promise<Coturn> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-coturn-'));
  const file = join(folder, 'log');
  const child: ChildProcess = spawn(
    'turnserver',
    [
      ...['-n', '--no-cli', '--no-tls', '--no-dtls', '--no-multicast-peers', '--verbose', '--simple-log'],
      ...['--log-file', file, '--pidfile', join(folder, 'pid'), '--userdb', join(folder, 'db')],
      ...['--realm', 'media.example', '--use-auth-secret', `--static-auth-secret=${options.secret}`],
      ...['--listening-ip', options.address, '--relay-ip', options.address],
      ...['--listening-port', String(options.port), '--min-port', '26000', '--max-port', '26100'],
    ],
    { stdio: 'ignore' },
  );
  process.once('exit', () => child.kill('SIGKILL'));
  const log = () => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return ''; // It has not said anything yet.
    }
  };
  await eventually(
    'coturn to listen',
    () => {
      if (child.exitCode !== null) throw new Error(`coturn ended with ${child.exitCode}: ${log()}`);
      return /listener opened on *: *\d|IPv4\. UDP listener opened/i.test(log());
    },
    { timeoutMs: 20_000 },
  );
  return {
    log,
    stop() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
