import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Finding, Level } from '../../cli/doctor/finding.ts';
import { makeSelfSigned } from '../../cli/tls/self-signed.ts';
import { workerCachePath } from '../../media-server/worker/cache.js';
import { stateFolder } from '../start/process.ts';
import { doctor } from './doctor.ts';

const state = stateFolder();
after(() => state.remove());

const DAY_MS = 86_400_000;
const isRoot = process.getuid?.() === 0;
const needsRoot = { skip: !isRoot && 'needs root' };
const OWN_MOUNTS = ['unshare', '--mount'];

function says(findings: readonly Finding[], level: Level, seen: RegExp, fix?: RegExp): void {
  const [found] = findings;
  assert.equal(found?.level, level, JSON.stringify(findings));
  assert.match(found.seen, seen);
  if (fix) assert.match('fix' in found ? found.fix : '', fix);
}

function file(name: string, content: string, mode = 0o644): string {
  const path = join(state.path, name);
  writeFileSync(path, content, { mode });
  return path;
}

describe('the doctor looks at the certificate, and', () => {
  function made(name: string, fromDays: number, toDays: number, names: readonly string[] = ['localhost']) {
    const at = (days: number) => new Date(Date.now() + days * DAY_MS);
    const { cert, key } = makeSelfSigned({ names, notBefore: at(fromDays), notAfter: at(toDays) });
    return {
      MILLRACE_TLS_CERT: file(`${name}-cert.pem`, cert),
      MILLRACE_TLS_KEY: file(`${name}-key.pem`, key),
    };
  }
  const other = made('other', -1, 90).MILLRACE_TLS_KEY;
  const noPem = file('no.pem', 'nothing');
  const cases: readonly [string, Readonly<Record<string, string>>, Level, RegExp][] = [
    ['takes a good one', made('good', -1, 90), 'ok', /matches its key, is for localhost/],
    ['warns of one that expires soon', made('soon', -1, 20.5), 'warning', /expires on .*, in 20 days/],
    ['finds an expired one', made('expired', -30, -1), 'wrong', /expired on \d{4}-/],
    ['finds one of the future', made('future', 1, 90), 'wrong', /valid only from/],
    ['finds one without names', made('nameless', -1, 90, []), 'wrong', /names no host/],
    ['warns of one for others', made('others', -1, 90, ['a.example']), 'warning', /is for a\.example; none/],
    [
      'finds the key of another',
      { ...made('pair', -1, 90), MILLRACE_TLS_KEY: other },
      'wrong',
      /is not the key of/,
    ],
    [
      'finds a file that is none',
      { MILLRACE_TLS_CERT: noPem, MILLRACE_TLS_KEY: other },
      'wrong',
      /MILLRACE_TLS_CERT=.*cannot be used/,
    ],
    [
      'finds a file that is no key',
      { ...made('keyless', -1, 90), MILLRACE_TLS_KEY: noPem },
      'wrong',
      /MILLRACE_TLS_KEY=.*cannot be used/,
    ],
    ['says that there is none without TLS', { MILLRACE_TLS: 'off' }, 'info', /MILLRACE_TLS=off/],
  ];
  for (const [what, settings, level, seen] of cases) {
    it(what, async () => {
      const said = await doctor(state.path, { settings });
      says(said.of('certificate'), level, seen);
      assert.equal(said.exitCode, level === 'wrong' ? 1 : 0);
    });
  }

  it('compares it with the machine’s own name', async () => {
    const settings = {
      ...made('host', -1, 90, [hostname()]),
      MILLRACE_AUTH: 'off',
      MILLRACE_LISTEN: '0.0.0.0:0',
    };
    says(
      (await doctor(state.path, { settings })).of('certificate'),
      'ok',
      new RegExp(`is for ${hostname()}`),
    );
  });

  it('makes none by looking', async () => {
    const empty = join(state.path, 'empty');
    mkdirSync(empty);
    const said = await doctor(state.path, { settings: { XDG_STATE_HOME: empty } });
    says(said.of('certificate'), 'ok', /made at the first start/);
    assert.equal(existsSync(join(empty, 'millrace')), false);
  });
});

describe('the doctor looks at who may do what, and', () => {
  it('finds a file of keys that holds none', async () => {
    const settings = { MILLRACE_AUTH_KEY_FILE: file('no-key.pem', 'nothing') };
    const said = await doctor(state.path, { settings });
    says(
      said.of('authorisation'),
      'wrong',
      /MILLRACE_AUTH_KEY_FILE=.*no-key\.pem is of no use/,
      /docs\/tokens\.md/,
    );
    assert.equal(said.exitCode, 1);
  });

  it('warns when everyone may do everything', async () => {
    const settings = { MILLRACE_AUTH: 'off', MILLRACE_LISTEN: '0.0.0.0:0' };
    says(
      (await doctor(state.path, { settings })).of('authorisation'),
      'warning',
      /MILLRACE_AUTH=off/,
      /MILLRACE_AUTH_KEY/,
    );
  });
});

describe('the doctor looks at the worker, and', () => {
  it('finds a stock one', async () => {
    const built = workerCachePath({ stock: true });
    // Asked who it is, the stock worker ends with 41, as it does whenever it is not started by mediasoup.
    const stock = existsSync(built) ? built : file('stock-worker', '#!/bin/sh\nexit 41\n', 0o755);
    const said = await doctor(state.path, { settings: { MILLRACE_WORKER_BIN: stock } });
    says(said.of('worker'), 'wrong', /is a stock mediasoup worker/, /media-server\/worker\/cache\.js/);
    assert.equal(said.exitCode, 1);
  });

  it('finds that none was built yet', async () => {
    const settings = { MILLRACE_WORKER_BIN: '', XDG_CACHE_HOME: state.path };
    says(
      (await doctor(state.path, { settings })).of('worker'),
      'wrong',
      /There is no mediasoup worker at/,
      /cache\.js/,
    );
  });
});

describe('the doctor looks at what the machine has, and', () => {
  it('finds a limit of open files with which the server cannot live', async () => {
    const said = await doctor(state.path, { first: 'ulimit -n 64' });
    says(said.of('open-files'), 'wrong', /^64 allowed/, /ulimit -n 12256/);
  });

  it('warns of a limit with which not all connections can be had', async () => {
    const said = await doctor(state.path, { first: 'ulimit -n 1024' });
    says(said.of('open-files'), 'warning', /room for 768 connections/, /MILLRACE_MAX_CONNECTIONS=768/);
    assert.equal(said.exitCode, 0);
  });

  it('warns of a full disk, and of one that cannot be written', needsRoot, async () => {
    const full = join(state.path, 'full');
    mkdirSync(full);
    const settings = { XDG_CACHE_HOME: full };
    const mount = (options: string) => `mount -t tmpfs -o ${options} tmpfs ${full}`;
    const small = await doctor(state.path, { settings, within: OWN_MOUNTS, first: mount('size=1m') });
    // The doctor's own compiled code may have made the folder in it already.
    says(small.of('disk'), 'warning', /full(\/millrace)? \(cache\): [01] MiB free/, /XDG_CACHE_HOME/);
    const readOnly = await doctor(state.path, { settings, within: OWN_MOUNTS, first: mount('ro') });
    says(readOnly.of('disk'), 'warning', /cannot be written/, /XDG_CACHE_HOME/);
  });

  it('finds too little memory, by the kernel’s own figure', needsRoot, async () => {
    const meminfo = file('meminfo', 'MemTotal: 8388608 kB\nMemFree: 65536 kB\nMemAvailable: 65536 kB\n');
    const first = `mount --bind ${meminfo} /proc/meminfo`;
    const said = await doctor(state.path, { within: OWN_MOUNTS, first });
    says(said.of('memory'), 'wrong', /^64 MiB free/, /MILLRACE_WORKERS=1/);
  });

  it('warns of small socket buffers', needsRoot, async () => {
    const net = join(state.path, 'net-core');
    mkdirSync(net);
    for (const name of ['rmem_max', 'wmem_max']) file(`net-core/${name}`, '212992\n');
    const first = `mount --bind ${net} /proc/sys/net/core`;
    const said = await doctor(state.path, { within: OWN_MOUNTS, first });
    says(
      said.of('udp-buffers'),
      'warning',
      /rmem_max=212992/,
      /sysctl -w net\.core\.rmem_max=4194304 net\.core\.wmem_max=4194304/,
    );
  });

  it('warns of a clock that no time server keeps', {
    skip: existsSync('/run/systemd/timesync/synchronized') && 'this one is kept',
  }, async () => {
    const bin = join(state.path, 'bin');
    mkdirSync(bin);
    file('bin/timedatectl', '#!/bin/sh\necho no\n', 0o755);
    const said = await doctor(state.path, { first: `PATH=${bin}:$PATH` });
    says(said.of('clock'), 'warning', /kept by no time server/, /timedatectl set-ntp true/);
  });
});
