import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { freePorts, ROOT, Started, stateFolder } from '../start/process.ts';
import { doctor, freePort, runDoctor } from './doctor.ts';

const state = stateFolder();
after(() => state.remove());

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

describe('the command doctor', () => {
  it('finds nothing wrong with a machine that serves, and ends with 0', async () => {
    const said = await doctor(state.path);
    assert.deepEqual(
      said.findings.filter(({ level }) => level === 'wrong'),
      [],
    );
    assert.notEqual(said.verdict, 'wrong');
    assert.equal(said.exitCode, 0);
    assert.equal(said.version, version);
    const checks = [...new Set(said.findings.map(({ check }) => check))];
    assert.deepEqual(checks, [
      ...['settings', 'node', 'worker', 'server', 'listen-ports', 'authorisation', 'certificate'],
      ...[
        'media-ports',
        'outgoing-ports',
        'announced-address',
        'udp',
        'default-route',
        'udp-buffers',
        'open-files',
      ],
      ...['memory', 'disk', 'storage', 'redis', 'clock'],
    ]);
  });

  it('names every mistake in the settings, and ends with 1', async () => {
    const settings = { MILLRACE_RTC_PORT: 'forty', MILLRACE_WORKRES: '2' };
    const said = await doctor(state.path, { settings });
    assert.equal(said.exitCode, 1);
    assert.deepEqual(
      said.findings.map(({ check, level }) => `${check} ${level}`),
      ['settings wrong', 'settings wrong'],
    );
    const seen = said.findings.map((finding) => finding.seen).join('\n');
    assert.match(seen, /MILLRACE_RTC_PORT=forty \(environment\): not a whole number/);
    assert.match(seen, /did you mean MILLRACE_WORKERS/);
  });

  it('takes flags as the server does, and --json only behind its name', async () => {
    const flag = await runDoctor(state.path, ['--json', '--rtc-port', 'x']);
    assert.match(flag.stdout, /--rtc-port x \(argument\)/);
    const misspelt = await runDoctor(state.path, ['--jsn']);
    assert.match(misspelt.stdout, /did you mean --json\?/);
    const elsewhere = spawnSync(process.execPath, [`${ROOT}/cli/main.ts`, 'settings', '--json'], {
      encoding: 'utf8',
    });
    assert.equal(elsewhere.status, 2);
  });

  it('writes for people a line for each finding, with the fix below', async () => {
    const settings = { MILLRACE_TLS: 'off', MILLRACE_ANNOUNCED_ADDRESS: '0.0.0.0' };
    const { stdout, exitCode } = await runDoctor(state.path, [], { settings });
    assert.match(
      stdout,
      /^wrong {4}announced-address {2}clients are told 0\.0\.0\.0, .*\n +Fix: Set MILLRACE_ANNOUNCED_ADDRESS/m,
    );
    assert.match(stdout, /\n1 wrong, \d+ to be warned of, \d+ in order\.\n$/);
    assert.equal(exitCode, 1);
  });

  it('runs by npm start, without building a worker first', () => {
    const env = {
      ...process.env,
      ...freePorts(state.path),
      XDG_CACHE_HOME: state.path,
      MILLRACE_WORKER_BIN: '',
    };
    const { stdout, status } = spawnSync('npm', ['start', '--silent', '--', 'doctor', '--json'], {
      cwd: ROOT,
      encoding: 'utf8',
      env,
    });
    const { findings } = JSON.parse(stdout);
    assert.equal(findings.find(({ check }: { check: string }) => check === 'worker').level, 'wrong');
    assert.equal(status, 1);
  });
});

describe('beside a server on the same settings', () => {
  it('the doctor says that it is ready, which version it is, and that the ports are its own; and that it hangs', async () => {
    const settings = {
      MILLRACE_LISTEN: `127.0.0.1:${await freePort()}`,
      MILLRACE_METRICS_LISTEN: `127.0.0.1:${await freePort()}`,
      MILLRACE_RTC_LISTEN: '127.0.0.1',
      MILLRACE_RTC_PORT: `${await freePort()}`,
      MILLRACE_WORKERS: '1',
    };
    const server = new Started(process.execPath, [`${ROOT}/cli/main.ts`], {
      ...freePorts(state.path),
      ...settings,
    });
    try {
      await server.ready();
      const { pid } = server.child;
      const said = await doctor(state.path, { settings });
      const seen = (check: string) => said.of(check).map((finding) => `${finding.level} ${finding.seen}`);
      assert.deepEqual(seen('server'), [`ok Millrace ${version} (process ${pid}) runs, and is ready`]);
      assert.match(
        seen('listen-ports')[0] ?? '',
        new RegExp(`^ok .* held by the running Millrace.*process ${pid}`),
      );
      assert.match(seen('media-ports')[0] ?? '', /^ok .* held by the running Millrace/);
      assert.match(seen('udp')[0] ?? '', /^ok .*taken for this only/);
      assert.equal(said.exitCode, 0);

      server.child.kill('SIGSTOP');
      const hanging = await doctor(state.path, { settings });
      const [found] = hanging.of('server');
      assert.equal(found?.level, 'wrong');
      assert.match(found.seen, /does not answer http:\/\/127\.0\.0\.1:\d+\/readyz/);
      assert.match('fix' in found ? found.fix : '', new RegExp(`kill -9 ${pid}`));
      assert.equal(hanging.exitCode, 1);
    } finally {
      server.destroy();
    }
  });

  it('the ports of another server’s workers are not taken for its own', async () => {
    const media = {
      MILLRACE_RTC_LISTEN: '127.0.0.1',
      MILLRACE_RTC_PORT: `${await freePort()}`,
      MILLRACE_WORKERS: '1',
    };
    const server = new Started(process.execPath, [`${ROOT}/cli/main.ts`], {
      ...freePorts(state.path),
      ...media,
    });
    try {
      await server.ready();
      const [found] = (await doctor(state.path, { settings: media })).of('media-ports');
      assert.equal(found?.level, 'wrong');
      assert.match(found.seen, new RegExp(`mediasoup-worker.*\\(process ${server.workerPids[0]}\\)`));
    } finally {
      server.destroy();
    }
  });
});
