import assert from 'node:assert/strict';
import { it } from 'node:test';
import { addressKind } from './address-kind.ts';
import { type AnnouncedFacts, judgeAnnounced } from './announced-address.ts';
import { defaultDevices4, defaultDevices6, judgeRoute } from './default-route.ts';
import { judgeEphemeral, parseRanges } from './ephemeral-ports.ts';
import { testJudgements } from './harness/judged.ts';
import { judgeListen } from './listen-ports.ts';
import { judgeMediaPorts, type MediaPort } from './media-ports.ts';
import { belongsTo, type RunningServer } from './running-server.ts';
import { judgeUdp } from './udp-reach.ts';

const holder = { pid: 812, parentPid: 1, words: ['nginx'] };
const address = { host: '127.0.0.1', port: 8443 };
const listen = { setting: 'MILLRACE_LISTEN', address, ours: false };
const port = (more: Partial<MediaPort>): MediaPort => ({
  ip: '192.0.2.2',
  port: 20_000,
  state: 'free',
  ours: false,
  ...more,
});
const media = (...ports: MediaPort[]) => ({
  rtcPort: 20_000,
  workers: 1,
  ports,
  ownAddresses: ['192.0.2.2'],
});
const announced = (addresses: readonly string[], more: Partial<AnnouncedFacts> = {}): AnnouncedFacts => ({
  announced: addresses.map((each) => ({ address: each })),
  servesNetwork: true,
  ports: [20_000, 20_001],
  ...more,
});
const udp = { address: '192.0.2.2', ip: '192.0.2.2', port: 20_000, standIn: false } as const;
const range = { outgoing: [32_768, 60_999], reserved: [] } as const;

testJudgements([
  ['a free port', judgeListen(listen), 'ok', /127\.0\.0\.1:8443 \(MILLRACE_LISTEN\) is free/],
  ['port 0', judgeListen({ ...listen, address: { ...address, port: 0 } }), 'ok', /any free port/],
  [
    'a port taken by another',
    judgeListen({ ...listen, code: 'EADDRINUSE', holder }),
    'wrong',
    /nginx \(process 812\).*MILLRACE_LISTEN=127\.0\.0\.1:8444/,
  ],
  ['a port taken by nobody visible', judgeListen({ ...listen, code: 'EADDRINUSE' }), 'wrong', /cannot see/],
  [
    'a port of the running server',
    judgeListen({ ...listen, code: 'EADDRINUSE', holder, ours: true }),
    'ok',
    /running Millrace/,
  ],
  [
    'an address of another machine',
    judgeListen({ ...listen, code: 'EADDRNOTAVAIL' }),
    'wrong',
    /not an address of this machine/,
  ],
  ['a port for root', judgeListen({ ...listen, code: 'EACCES' }), 'wrong', /more rights/],

  ['free media ports', judgeMediaPorts(media(port({}))), 'ok', /port 20000 at 192\.0\.2\.2 free/],
  [
    'media ports of the running server',
    judgeMediaPorts(media(port({ state: 'busy', ours: true }))),
    'ok',
    /running Millrace/,
  ],
  [
    'a media port taken',
    judgeMediaPorts(media(port({ state: 'busy', holder }))),
    'wrong',
    /nginx.*MILLRACE_RTC_PORT=20100/,
  ],
  [
    'a media address that is gone',
    judgeMediaPorts(media(port({ state: 'unavailable', ip: '192.0.2.9' }))),
    'wrong',
    /192\.0\.2\.9.*MILLRACE_RTC_LISTEN: 192\.0\.2\.2/,
  ],
  [
    'one media address of two that is gone',
    judgeMediaPorts(media(port({}), port({ state: 'unavailable', ip: '192.0.2.9' }))),
    'warning',
    /it is left out/,
  ],
  ['no media address at all', judgeMediaPorts(media()), 'wrong', /any address/],
  [
    'media ports of the system’s choice',
    judgeMediaPorts({ ...media(), rtcPort: 0 }),
    'info',
    /the system chooses/,
  ],

  [
    'media ports below the outgoing ones',
    judgeEphemeral({ ...range, media: [20_000, 20_003] }),
    'ok',
    /32768 to 60999/,
  ],
  [
    'media ports among the outgoing ones',
    judgeEphemeral({ ...range, media: [40_000, 40_003] }),
    'warning',
    /ip_local_reserved_ports=40000-40003/,
  ],
  [
    'some media ports among the outgoing ones',
    judgeEphemeral({ ...range, media: [32_767, 32_768] }),
    'warning',
    /media port 32768 /,
  ],
  [
    'reserved media ports',
    judgeEphemeral({ ...range, media: [40_000, 40_003], reserved: [[39_000, 40_003]] }),
    'ok',
    /no media port/,
  ],
  [
    'other reserved ports, which are kept',
    judgeEphemeral({ ...range, media: [40_000, 40_000], reserved: [[9000, 9001]] }),
    'warning',
    /=9000-9001,40000$/,
  ],
  [
    'a kernel that hides its range',
    judgeEphemeral({ media: [40_000, 40_000], reserved: [] }),
    'info',
    /does not say/,
  ],

  [
    'a public address among private ones',
    judgeAnnounced(announced(['10.0.0.7', '198.51.100.7'])),
    'ok',
    /198\.51\.100\.7/,
  ],
  [
    'private addresses for the network',
    judgeAnnounced(announced(['10.0.0.7', '127.0.0.1'])),
    'warning',
    /MILLRACE_ANNOUNCED_ADDRESS=PUBLIC-ADDRESS.*20000 to 20001/,
  ],
  [
    'private addresses for this machine only',
    judgeAnnounced(announced(['10.0.0.7'], { servesNetwork: false })),
    'ok',
    /this machine only/,
  ],
  [
    'loopback for the network',
    judgeAnnounced(announced(['127.0.0.1', '::1'])),
    'wrong',
    /MILLRACE_RTC_LISTEN/,
  ],
  ['no address at all for the network', judgeAnnounced(announced([])), 'wrong', /nothing/],
  [
    'the unspecified address',
    judgeAnnounced(announced(['0.0.0.0'], { servesNetwork: false })),
    'wrong',
    /unspecified/,
  ],
  ['a link-local address', judgeAnnounced(announced(['fe80::7'])), 'wrong', /link-local/],
  [
    'a name that leads nowhere',
    judgeAnnounced(announced([], { announced: [{ address: 'no.example', resolved: [] }] })),
    'wrong',
    /leads nowhere/,
  ],
  [
    'a name of a public address',
    judgeAnnounced(announced([], { announced: [{ address: 'a.example', resolved: ['198.51.100.7'] }] })),
    'ok',
    /a\.example/,
  ],
  [
    'a name of a private address',
    judgeAnnounced(announced([], { announced: [{ address: 'a.example', resolved: ['10.0.0.7'] }] })),
    'warning',
    /private/,
  ],

  ['a datagram that arrives', judgeUdp({ ...udp, outcome: 'arrived' }), 'ok', /192\.0\.2\.2:20000 arrived$/],
  [
    'a datagram that arrives at a stand-in',
    judgeUdp({ ...udp, standIn: true, outcome: 'arrived' }),
    'ok',
    /for this only/,
  ],
  [
    'a datagram lost within the machine',
    judgeUdp({ ...udp, outcome: 'lost' }),
    'wrong',
    /firewall.*--dport 20000/,
  ],
  [
    'a datagram lost at the router',
    judgeUdp({ ...udp, address: '198.51.100.7', outcome: 'lost' }),
    'warning',
    /Forward UDP and TCP port 20000 of 198\.51\.100\.7 to 192\.0\.2\.2/,
  ],
  [
    'a datagram that is not let out',
    judgeUdp({ ...udp, outcome: { error: 'EPERM' } }),
    'warning',
    /EPERM.*ip route get/,
  ],
  ['a datagram to nobody', judgeUdp({ ...udp, outcome: 'no listener' }), 'info', /not tried/],

  ['a default route', judgeRoute({ ipv4: ['eth0'], ipv6: [], servesNetwork: true }), 'ok', /IPv4 by eth0/],
  [
    'no default route for the network',
    judgeRoute({ ipv4: [], ipv6: [], servesNetwork: true }),
    'warning',
    /ip route add default/,
  ],
  ['no default route for this machine', judgeRoute({ ipv4: [], servesNetwork: false }), 'ok', /none needed/],
  ['unknown routes', judgeRoute({ servesNetwork: true }), 'info', /does not show/],
]);

it('an address is of the kind that says who reaches it', () => {
  const kinds = {
    unspecified: ['0.0.0.0', '::'],
    loopback: ['127.0.0.53', '::1'],
    'link-local': ['169.254.1.1', 'fe80::1', 'febf::1'],
    private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd00::2'],
    public: ['172.32.0.1', '100.128.0.1', '198.51.100.7', '2001:db8::7'],
    name: ['localhost', 'mill.example.org'],
  };
  for (const [kind, addresses] of Object.entries(kinds)) {
    for (const each of addresses) assert.equal(addressKind(each), kind, each);
  }
});

it('ranges of ports are read as the kernel writes them', () => {
  assert.deepEqual(parseRanges('8080,9000-9010\n'), [
    [8080, 8080],
    [9000, 9010],
  ]);
  assert.deepEqual(parseRanges('\n'), []);
});

it('default routes are read as the kernel writes them', () => {
  const ipv4 = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    '*\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0',
  ].join('\n');
  assert.deepEqual(defaultDevices4(ipv4), ['eth0']);
  const zeros = '0'.repeat(32);
  const ipv6 = [
    `${zeros} 00 ${zeros} 00 fd000000000000000000000000000001 00000400 00000001 00000000 00000003     eth0`,
    `fd000000000000000000000000000000 40 ${zeros} 00 ${zeros} 00000100 00000001 00000000 00000001     eth0`,
    `${zeros} 00 ${zeros} 00 ${zeros} ffffffff 00000001 00000000 00200200       lo`,
  ].join('\n');
  assert.deepEqual(defaultDevices6(ipv6), ['eth0']);
});

it('a port belongs to the server, to its workers, or to nobody visible where the server is not visible either', () => {
  const server = (pid: number | undefined): RunningServer => ({
    pid,
    version: undefined,
    readiness: 'ready',
    askedAt: undefined,
  });
  const cases = [
    [server(812), holder, true],
    [server(1), holder, true],
    [server(7), holder, false],
    [server(7), undefined, false],
    [server(undefined), undefined, true],
    [server(undefined), holder, false],
    [undefined, holder, false],
    [undefined, undefined, false],
  ] as const;
  for (const [running, held, ours] of cases) assert.equal(belongsTo(running, held), ours);
});
