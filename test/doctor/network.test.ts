import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import type { Finding, Level } from '../../cli/doctor/finding.ts';
import { stateFolder } from '../start/process.ts';
import { busyPort, doctor } from './doctor.ts';

const state = stateFolder();
after(() => state.remove());

const LOOPBACK_MEDIA = { MILLRACE_RTC_LISTEN: '127.0.0.1', MILLRACE_WORKERS: '1' };
const FOR_THE_NETWORK = { MILLRACE_AUTH: 'off', MILLRACE_LISTEN: '0.0.0.0:0' };
/** Of RFC 5737: nobody has it. */
const NOWHERE = '198.51.100.7';
/** Where no name server answers, the system's resolver is not to wait long for it (resolv.conf(5)). */
const IMPATIENT = { RES_OPTIONS: 'timeout:1 attempts:1' };
const isRoot = process.getuid?.() === 0;
const OWN_NETWORK = ['unshare', '--net'];

function says(findings: readonly Finding[], level: Level, seen: RegExp, fix?: RegExp): void {
  const [found] = findings;
  assert.equal(found?.level, level, JSON.stringify(findings));
  assert.match(found.seen, seen);
  if (fix) assert.match('fix' in found ? found.fix : '', fix);
}

describe('the doctor looks at the ports, and', () => {
  it('names the holder of one that is taken, and the setting that moves it', async () => {
    const { server, port } = await busyPort();
    try {
      const settings = { MILLRACE_METRICS_LISTEN: `127.0.0.1:${port}` };
      const said = await doctor(state.path, { settings });
      const taken = said.of('listen-ports').filter(({ level }) => level === 'wrong');
      says(
        taken,
        'wrong',
        new RegExp(`:${port} is taken by .*\\(process ${process.pid}\\)`),
        /MILLRACE_METRICS_LISTEN=127/,
      );
      assert.equal(said.exitCode, 1);
      assert.equal(said.verdict, 'wrong');
    } finally {
      server.close();
    }
  });

  it('finds an address that the machine does not have', async () => {
    const settings = { MILLRACE_METRICS_LISTEN: `${NOWHERE}:0` };
    const said = await doctor(state.path, { settings });
    const wrong = said.of('listen-ports').filter(({ level }) => level === 'wrong');
    says(wrong, 'wrong', /198\.51\.100\.7 is not an address of this machine/, /MILLRACE_METRICS_LISTEN/);
  });

  it('names the holder of a media port that is taken for UDP only', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    try {
      const { port } = socket.address();
      const settings = { ...LOOPBACK_MEDIA, MILLRACE_RTC_PORT: `${port}` };
      const said = await doctor(state.path, { settings });
      says(
        said.of('media-ports'),
        'wrong',
        new RegExp(`port ${port} at 127\\.0\\.0\\.1 is taken by .*\\(process ${process.pid}\\)`),
        /MILLRACE_RTC_PORT=/,
      );
    } finally {
      socket.close();
    }
  });

  it('tells media addresses that are gone: one of two is left out, all are wrong', async () => {
    const { server, port } = await busyPort();
    server.close();
    const settings = { MILLRACE_WORKERS: '1', MILLRACE_RTC_PORT: `${port}` };
    const one = await doctor(state.path, {
      settings: { ...settings, MILLRACE_RTC_LISTEN: `127.0.0.1,${NOWHERE}` },
    });
    says(one.of('media-ports'), 'warning', /at 198\.51\.100\.7; it is left out/, /MILLRACE_RTC_LISTEN/);
    const all = await doctor(state.path, { settings: { ...settings, MILLRACE_RTC_LISTEN: NOWHERE } });
    says(all.of('media-ports'), 'wrong', /198\.51\.100\.7/, /MILLRACE_RTC_LISTEN: .*127\.0\.0\.1/);
  });

  it('warns of media ports that an outgoing connection may take', async () => {
    const [low = ''] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/);
    const settings = { ...LOOPBACK_MEDIA, MILLRACE_RTC_PORT: low };
    const said = await doctor(state.path, { settings });
    says(
      said.of('outgoing-ports'),
      'warning',
      new RegExp(`media port ${low} is among`),
      /MILLRACE_RTC_PORT=20000/,
    );
  });
});

describe('the doctor looks at the addresses for media, and', () => {
  const cases: readonly [string, Readonly<Record<string, string>>, Level, RegExp][] = [
    ['finds loopback told to the network', LOOPBACK_MEDIA, 'wrong', /are told to send media to 127\.0\.0\.1/],
    ['warns of a private one', { MILLRACE_ANNOUNCED_ADDRESS: '10.1.2.3' }, 'warning', /10\.1\.2\.3: private/],
    ['takes a public one', { MILLRACE_ANNOUNCED_ADDRESS: NOWHERE }, 'ok', /198\.51\.100\.7/],
    ['finds the unspecified one', { MILLRACE_ANNOUNCED_ADDRESS: '0.0.0.0' }, 'wrong', /unspecified/],
    [
      'finds a name that leads nowhere',
      { MILLRACE_ANNOUNCED_ADDRESS: 'media.invalid' },
      'wrong',
      /leads nowhere/,
    ],
  ];
  for (const [what, settings, level, seen] of cases) {
    it(what, async () => {
      const said = await doctor(state.path, { settings: { ...FOR_THE_NETWORK, ...settings, ...IMPATIENT } });
      says(said.of('announced-address'), level, seen);
    });
  }

  it('sees a datagram arrive at each', async () => {
    const said = await doctor(state.path, { settings: LOOPBACK_MEDIA });
    says(said.of('udp'), 'ok', /a datagram to 127\.0\.0\.1:\d+ arrived/);
  });

  it('warns when datagrams to the announced one do not come back', async () => {
    const settings = { MILLRACE_RTC_LISTEN: '127.0.0.1', MILLRACE_ANNOUNCED_ADDRESS: '127.0.0.9' };
    const said = await doctor(state.path, { settings });
    says(
      said.of('udp'),
      'warning',
      /127\.0\.0\.9:\d+ did not come back to 127\.0\.0\.1/,
      /Forward UDP and TCP port/,
    );
  });

  it('finds a firewall that drops them', { skip: !isRoot && 'needs root' }, async () => {
    const said = await doctor(state.path, {
      settings: { ...LOOPBACK_MEDIA, MILLRACE_RTC_PORT: '20000' },
      within: OWN_NETWORK,
      first: 'ip link set lo up; iptables -A INPUT -p udp --dport 20000 -j DROP',
    });
    says(said.of('udp'), 'wrong', /127\.0\.0\.1:20000 do not arrive: a firewall/, /--dport 20000 -j ACCEPT/);
    assert.equal(said.exitCode, 1);
  });

  it('warns when none can be sent', { skip: !isRoot && 'needs root' }, async () => {
    const said = await doctor(state.path, {
      settings: { MILLRACE_RTC_LISTEN: '127.0.0.1', MILLRACE_ANNOUNCED_ADDRESS: NOWHERE },
      within: OWN_NETWORK,
      first: 'ip link set lo up',
    });
    says(said.of('udp'), 'warning', /could be sent to 198\.51\.100\.7:\d+: .*ENETUNREACH/, /ip route get/);
  });

  it('warns of a machine without a default route', { skip: !isRoot && 'needs root' }, async () => {
    const said = await doctor(state.path, {
      settings: FOR_THE_NETWORK,
      within: OWN_NETWORK,
      first: 'ip link set lo up',
    });
    says(said.of('default-route'), 'warning', /none: clients of other networks/, /ip route add default/);
  });
});
