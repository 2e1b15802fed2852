import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import WebSocket from 'ws';
import { makeSelfSigned } from '../../cli/tls/self-signed.ts';
import { freePorts, isAlive, ROOT, Started, stateFolder, until } from './process.ts';

const state = stateFolder();
const started: Started[] = [];
afterEach(() => {
  for (const each of started.splice(0)) each.destroy();
});
after(() => state.remove());

/** The server alone, as scripts and images start it. */
function server(settings: Readonly<Record<string, string>> = {}): Started {
  return start(process.execPath, [`${ROOT}/cli/main.ts`], settings);
}

/** `npm start`, with npm above and Node 24 below. */
function npmStart(...args: string[]): Started {
  return start('npm', ['start', '--', ...args]);
}

function start(
  command: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Started {
  const each = new Started(command, args, { ...freePorts(state.path), ...settings });
  started.push(each);
  return each;
}

const allGone = (pids: readonly number[]) => until('every worker to end', 5000, () => !pids.some(isAlive));

describe('a server that is ready', () => {
  it('serves the page over TLS and, for this machine, without', async () => {
    const { ports } = await server().ready();
    assert.ok(ports?.listen && ports.local_listen);
    const plain = await fetch(`http://localhost:${ports.local_listen}/`);
    assert.equal(plain.status, 200);
    const page = await plain.text();
    assert.match(page, /<title>/);
    assert.equal(await getIgnoringTrust(`https://localhost:${ports.listen}/`), page);
  });

  it('shows its state to monitoring on a port of its own', async () => {
    const { ports } = await server().ready();
    const metrics = await fetch(`http://127.0.0.1:${ports?.metrics_listen}/metrics`);
    assert.match(await metrics.text(), /^millrace_/m);
    assert.equal((await fetch(`http://127.0.0.1:${ports?.metrics_listen}/readyz`)).status, 200);
  });

  it('says for people what to open, and for scripts the same in one record', async () => {
    const process = server();
    const { pages, ports } = await process.ready();
    assert.deepEqual(pages, [
      `http://localhost:${ports?.local_listen}`,
      `https://localhost:${ports?.listen}`,
    ]);
    const block = await until(
      'the block',
      1000,
      () => /is ready, after(.|\n)*npm start\n/.exec(process.stderr)?.[0],
    );
    for (const url of pages ?? []) assert.ok(block.includes(url));
    for (const line of process.stdout.trim().split('\n')) assert.doesNotThrow(() => JSON.parse(line), line);
  });

  it('keeps its certificate from start to start', async () => {
    const fingerprints: string[] = [];
    for (let i = 0; i < 2; i++) {
      const { ports } = await server().ready();
      fingerprints.push(await fingerprintAt(ports?.listen ?? 0));
    }
    assert.equal(fingerprints[0], fingerprints[1]);
  });
});

describe('a certificate that the settings name', () => {
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(state.path, name));
  const named = { MILLRACE_TLS_CERT: cert ?? '', MILLRACE_TLS_KEY: key ?? '' };

  function renew(): { readonly cert: string; readonly key: string } {
    const notAfter = new Date(Date.now() + 86_400_000);
    const made = makeSelfSigned({ names: ['localhost'], notBefore: new Date(), notAfter });
    writeFileSync(named.MILLRACE_TLS_CERT, made.cert);
    writeFileSync(named.MILLRACE_TLS_KEY, made.key);
    return made;
  }

  it('is served, and so is its successor without a restart', async () => {
    const first = renew();
    const process = server(named);
    const { ports } = await process.ready();
    assert.equal(await fingerprintAt(ports?.listen ?? 0), new X509Certificate(first.cert).fingerprint256);
    const second = renew();
    await until('the log to say so', 20_000, () =>
      process.records.some(({ msg }) => msg === 'certificate reloaded'),
    );
    assert.equal(await fingerprintAt(ports?.listen ?? 0), new X509Certificate(second.cert).fingerprint256);
  });

  it('is refused at the start when the key is another’s', async () => {
    renew();
    const { key: other } = makeSelfSigned({ names: [], notBefore: new Date(), notAfter: new Date() });
    writeFileSync(named.MILLRACE_TLS_KEY, other);
    const process = server(named);
    assert.equal((await process.ended()).code, 2);
    assert.match(process.stderr, /MILLRACE_TLS_KEY=.*\n +is not the key of/);
  });
});

describe('a server that is told to end', () => {
  it('closes its clients with 1012 and ends within 2 s with its workers and exit code 0', async () => {
    const process = server();
    const { ports } = await process.ready();
    const client = new WebSocket(`ws://localhost:${ports?.local_listen}/`);
    await new Promise((resolve, reject) => client.on('open', resolve).on('error', reject));
    const closed = new Promise<number>((resolve) => client.on('close', resolve));
    const workers = process.workerPids;
    assert.equal(workers.length, 2);
    process.child.kill('SIGTERM');
    const end = await process.ended();
    assert.equal(end.code, 0);
    assert.ok(end.ms < 2000, `${end.ms} ms`);
    assert.equal(await closed, 1012);
    await allGone(workers);
  });

  it('leaves no worker behind when it is killed', async () => {
    const process = server();
    await process.ready();
    process.child.kill('SIGKILL');
    await process.ended();
    await allGone(process.workerPids);
  });
});

describe('npm start', () => {
  it('is ready within seconds once all is installed and built', async (t) => {
    const startedMs = performance.now();
    const { ms } = await npmStart().ready();
    t.diagnostic(
      `ready after ${Math.round(performance.now() - startedMs)} ms, ${ms} ms of them in the server`,
    );
  });

  it('ends wholly, within 2 s, on Ctrl-C', async () => {
    const process = npmStart();
    await process.ready();
    globalThis.process.kill(-(process.child.pid ?? 0), 'SIGINT');
    const { ms } = await process.ended();
    assert.ok(ms < 2000, `${ms} ms`);
    assert.ok(
      process.records.some(({ msg }) => msg === 'stopped'),
      process.output,
    );
    await allGone(process.workerPids);
  });

  it('ends wholly, within 2 s and with exit code 0, when npm gets SIGTERM', async () => {
    const process = npmStart();
    await process.ready();
    process.child.kill('SIGTERM');
    const { code, ms } = await process.ended();
    assert.equal(code, 0, process.output);
    assert.ok(ms < 2000, `${ms} ms`);
    assert.ok(
      process.records.some(({ msg }) => msg === 'stopped'),
      process.output,
    );
    await allGone(process.workerPids);
  });

  it('leaves nothing behind when setup is killed', async () => {
    const process = start(globalThis.process.execPath, [`${ROOT}/setup/start.js`]);
    await process.ready();
    process.child.kill('SIGKILL');
    await allGone(process.workerPids);
    await until('the server to say so', 5000, () => process.records.some(({ msg }) => msg === 'stopped'));
  });

  it('leaves nothing behind when npm is killed', async () => {
    const process = npmStart();
    await process.ready();
    process.child.kill('SIGKILL');
    await allGone(process.workerPids);
    await until('the server to say so', 5000, () => process.records.some(({ msg }) => msg === 'stopped'));
  });

  it('shows the help without starting anything', async () => {
    const process = npmStart('--help');
    const { code } = await process.ended();
    assert.equal(code, 0);
    assert.match(process.stdout, /--rtc-port NUMBER/);
  });

  it('names every wrong setting at once, and fails', async () => {
    const process = npmStart('--rtc-prot', '1', '--workers', 'many');
    const { code } = await process.ended();
    assert.equal(code, 2);
    assert.match(process.stderr, /2 settings are wrong/);
    assert.match(process.stderr, /did you mean --rtc-port\?/);
  });
});

describe('an address that cannot be had', () => {
  it('is named with its setting when it is not the machine’s', async () => {
    const process = server({ MILLRACE_AUTH: 'off', MILLRACE_LISTEN: '203.0.113.1:0' });
    assert.equal((await process.ended()).code, 1);
    assert.match(process.stderr, /203\.0\.113\.1 is not an address of this machine.*\n.*MILLRACE_LISTEN/);
  });

  it('is named with the holder of its port, all of them at once', async () => {
    const [first, second] = await Promise.all([occupyPort(), occupyPort()]);
    try {
      const process = server({
        MILLRACE_LISTEN: `127.0.0.1:${first.port}`,
        MILLRACE_METRICS_LISTEN: `127.0.0.1:${second.port}`,
      });
      const { code } = await process.ended();
      assert.equal(code, 1);
      for (const [port, setting] of [
        [first.port, 'MILLRACE_LISTEN'],
        [second.port, 'MILLRACE_METRICS_LISTEN'],
      ]) {
        assert.match(
          process.stderr,
          new RegExp(`127\\.0\\.0\\.1:${port} is taken by .*\\(process ${globalThis.process.pid}\\)`),
        );
        assert.match(process.stderr, new RegExp(`choose another port: ${setting}=127\\.0\\.0\\.1:\\d+`));
      }
      assert.doesNotMatch(process.stderr, /\n {4}at /);
    } finally {
      first.server.close();
      second.server.close();
    }
  });
});

function occupyPort(): Promise<{ readonly server: Server; readonly port: number }> {
  return new Promise((resolve) => {
    const holder = createServer().listen(0, '127.0.0.1', () => {
      const address = holder.address();
      resolve({ server: holder, port: typeof address === 'object' && address ? address.port : 0 });
    });
  });
}

function getIgnoringTrust(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { rejectUnauthorized: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.on('end', () => resolve(body));
    })
      .on('error', reject)
      .end();
  });
}

function fingerprintAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const ask = request({ host: 'localhost', port, rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
    });
    ask.on('socket', (socket) => {
      socket.on('secureConnect', () => {
        const { fingerprint256 } = (socket as import('node:tls').TLSSocket).getPeerX509Certificate() ?? {};
        resolve(fingerprint256 ?? '');
      });
    });
    ask.on('error', reject).end();
  });
}
