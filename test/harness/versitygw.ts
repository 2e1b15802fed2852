import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { versitygwPath } from '../../setup/versitygw.js';
import { eventually } from './condition.ts';

export const BUCKET = 'recordings';
const READY_TIMEOUT_MS = 10_000;
/** Another program may take the port between its choice and its use. */
const ATTEMPTS = 5;

/** A real S3 server, in front of a folder of its own. */
export interface Versitygw {
  /** http://127.0.0.1:PORT, or https:// where it was given a certificate */
  readonly endpoint: string;
  readonly port: number;
  readonly pid: number;
  /** What the SDK takes from the environment, set in this process too. */
  readonly credentials: { readonly AWS_ACCESS_KEY_ID: string; readonly AWS_SECRET_ACCESS_KEY: string };
  /** The folder that the bucket is. */
  readonly folder: string;
  /** Ends it, and deletes what it kept. */
  stop(): Promise<void>;
}

/** Its bucket `recordings` is there, and empty. */
export async function startVersitygw(
  options: { readonly tls?: { readonly certFile: string; readonly keyFile: string } } = {},
): Promise<Versitygw> {
  const program = versitygwPath();
  if (!existsSync(program)) throw new Error(`there is no ${program}; \`npm test\` builds it`);
  const home = mkdtempSync(join(tmpdir(), 'millrace-s3-'));
  const folder = join(home, 'data', BUCKET);
  mkdirSync(folder, { recursive: true });
  const credentials = { AWS_ACCESS_KEY_ID: 'millrace-test', AWS_SECRET_ACCESS_KEY: 'millrace-test-secret' };
  Object.assign(process.env, credentials);

  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const [child, words] = run(program, home, port, credentials, options.tls);
    try {
      await listening(child, port, words);
    } catch (error) {
      child.kill('SIGKILL');
      if (attempt < ATTEMPTS) continue;
      rmSync(home, { recursive: true, force: true });
      throw error;
    }
    const stop = async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(home, { recursive: true, force: true });
    };
    const scheme = options.tls === undefined ? 'http' : 'https';
    return {
      endpoint: `${scheme}://127.0.0.1:${port}`,
      port,
      pid: child.pid ?? 0,
      credentials,
      folder,
      stop,
    };
  }
}

function run(
  program: string,
  home: string,
  port: number,
  credentials: Versitygw['credentials'],
  tls: { readonly certFile: string; readonly keyFile: string } | undefined,
): readonly [ChildProcess, words: () => string] {
  const args = [
    ...['--port', `127.0.0.1:${port}`, '--keep-alive', '--quiet'],
    ...(tls === undefined ? [] : ['--cert', tls.certFile, '--key', tls.keyFile]),
    ...['posix', join(home, 'data')],
  ];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ROOT_ACCESS_KEY_ID: credentials.AWS_ACCESS_KEY_ID,
      ROOT_SECRET_ACCESS_KEY: credentials.AWS_SECRET_ACCESS_KEY,
    },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      said = (said + text).slice(-4096);
    });
  }
  process.once('exit', () => child.kill('SIGKILL'));
  return [child, () => said];
}

async function listening(child: ChildProcess, port: number, words: () => string): Promise<void> {
  await eventually(
    `versitygw on port ${port}`,
    async () => {
      if (child.exitCode !== null) return 'ended';
      // Whatever it answers: it listens.
      return fetch(`http://127.0.0.1:${port}/`).then(
        () => 'listens',
        (error: Error & { cause?: { code?: string } }) => error.cause?.code !== 'ECONNREFUSED',
      );
    },
    { timeoutMs: READY_TIMEOUT_MS, everyMs: 20 },
  );
  if (child.exitCode !== null) throw new Error(`versitygw ended with ${child.exitCode}: ${words()}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('it has no port');
  return address.port;
}
