import assert from 'node:assert/strict';
import { it } from 'node:test';
import { judgeAuthorisation } from './authorisation.ts';
import { type CertificateFacts, judgeCertificate } from './certificate.ts';
import { judgeClock } from './clock.ts';
import { judgeFolder } from './disk.ts';
import { testJudgements } from './harness/judged.ts';
import { judgeMemory } from './memory.ts';
import { judgeNode } from './node-version.ts';
import { judgeOpenFiles } from './open-files.ts';
import { judgeServer } from './server-answer.ts';
import { judgeUdpBuffers } from './udp-buffers.ts';
import { judgeWorker } from './worker-binary.ts';

const MIB = 1024 ** 2;
const DAY_MS = 86_400_000;
const now = new Date('2026-11-23T12:00:00Z');
const after = (days: number) => new Date(now.getTime() + days * DAY_MS);
const named: Extract<CertificateFacts, { kind: 'named' }> = {
  kind: 'named',
  file: '/c.pem',
  keyFile: '/k.pem',
  keyMatches: true,
  validFrom: after(-30),
  validTo: after(60),
  now,
  names: ['mill.example.org'],
  hosts: ['mill.example.org'],
  covered: ['mill.example.org'],
};
const folder = {
  folder: '/c',
  what: 'cache',
  variable: 'XDG_CACHE_HOME',
  freeBytes: 500 * MIB,
  writable: true,
};
const server = { pid: 7, version: '0.1.0', readiness: 'ready', askedAt: '127.0.0.1:9464' } as const;

testJudgements([
  [
    'no authorisation for the network',
    judgeAuthorisation({ mode: 'off', servesNetwork: true }),
    'warning',
    /MILLRACE_AUTH=off.*MILLRACE_AUTH_KEY/,
  ],
  [
    'no authorisation for this machine',
    judgeAuthorisation({ mode: 'off', servesNetwork: false }),
    'ok',
    /only this machine/,
  ],
  [
    'nothing said of authorisation',
    judgeAuthorisation({ mode: undefined, servesNetwork: false }),
    'ok',
    /only this machine/,
  ],
  ['tokens', judgeAuthorisation({ mode: 'tokens', servesNetwork: true }), 'ok', /keys can be used/],
  [
    'tokens of a provider',
    judgeAuthorisation({ mode: 'tokens', keysUrl: 'https://id.example/jwks', servesNetwork: true }),
    'info',
    /id\.example/,
  ],
  [
    'keys of no use',
    judgeAuthorisation({ mode: 'tokens', problem: 'It is empty.', servesNetwork: true }),
    'wrong',
    /empty.*tokens\.md/,
  ],

  ['no TLS', judgeCertificate({ kind: 'off' }), 'info', /MILLRACE_TLS=off/],
  [
    'the machine’s own certificate',
    judgeCertificate({ kind: 'own', file: '/s.pem', exists: true, servesNetwork: false }),
    'ok',
    /kept in \/s\.pem/,
  ],
  [
    'the machine’s own certificate for the network',
    judgeCertificate({ kind: 'own', file: '/s.pem', exists: false, servesNetwork: true }),
    'info',
    /browsers warn/,
  ],
  [
    'a file that is no certificate',
    judgeCertificate({ kind: 'unreadable', setting: 'MILLRACE_TLS_CERT', file: '/c.pem', why: 'no PEM' }),
    'wrong',
    /MILLRACE_TLS_CERT=\/c\.pem cannot be used: no PEM/,
  ],
  ['a good certificate', judgeCertificate(named), 'ok', /mill\.example\.org and valid until 2027-01-22/],
  ['a certificate of 21 days', judgeCertificate({ ...named, validTo: after(21) }), 'ok', /valid until/],
  ['a certificate of less', judgeCertificate({ ...named, validTo: after(20.9) }), 'warning', /in 20 days/],
  [
    'an expired certificate',
    judgeCertificate({ ...named, validTo: after(-1) }),
    'wrong',
    /expired on 2026-11-22/,
  ],
  ['a certificate of the future', judgeCertificate({ ...named, validFrom: after(1) }), 'wrong', /clock/],
  [
    'a certificate with another key',
    judgeCertificate({ ...named, keyMatches: false }),
    'wrong',
    /MILLRACE_TLS_KEY=\/k\.pem is not the key/,
  ],
  [
    'a certificate without names',
    judgeCertificate({ ...named, names: [], covered: [] }),
    'wrong',
    /subjectAltName/,
  ],
  ['a certificate for another host', judgeCertificate({ ...named, covered: [] }), 'warning', /none of these/],

  ['a clock that is kept', judgeClock({ now, synchronised: 'yes' }), 'ok', /kept by a time server/],
  [
    'a clock that nobody keeps',
    judgeClock({ now, synchronised: 'no' }),
    'warning',
    /timedatectl set-ntp true/,
  ],
  ['a clock of which nothing is known', judgeClock({ now, synchronised: 'unknown' }), 'info', /not known/],

  ['files enough', judgeOpenFiles({ limit: 12_256, maxConnections: 12_000 }), 'ok', /12256 needed/],
  ['unlimited files', judgeOpenFiles({ limit: Infinity, maxConnections: 12_000 }), 'ok', /allowed/],
  [
    'too few files',
    judgeOpenFiles({ limit: 1024, maxConnections: 12_000 }),
    'warning',
    /ulimit -n 12256.*MILLRACE_MAX_CONNECTIONS=768/,
  ],
  [
    'files for the server at most',
    judgeOpenFiles({ limit: 256, maxConnections: 12_000 }),
    'wrong',
    /the server alone/,
  ],
  ['an unknown limit', judgeOpenFiles({ maxConnections: 12_000 }), 'info', /not known/],

  ['memory enough', judgeMemory({ availableBytes: 8192 * MIB, workers: 4 }), 'ok', /8192 MiB/],
  [
    'memory for idleness',
    judgeMemory({ availableBytes: 300 * MIB, workers: 4 }),
    'warning',
    /MILLRACE_WORKERS=2/,
  ],
  [
    'too little memory',
    judgeMemory({ availableBytes: 100 * MIB, workers: 1 }),
    'wrong',
    /MILLRACE_WORKERS=1/,
  ],

  ['room for the buffers', judgeUdpBuffers({ receiveMax: 4096, sendMax: 4096, wanted: 4096 }), 'ok', /4096/],
  [
    'small buffers',
    judgeUdpBuffers({ receiveMax: 2048, sendMax: 4096, wanted: 4096 }),
    'warning',
    /sysctl -w net\.core\.rmem_max=4096,/,
  ],
  ['buffers of unknown size', judgeUdpBuffers({ wanted: 4096 }), 'info', /not visible/],

  ['the right worker', judgeWorker({ path: '/w' }), 'ok', /\/w is the patched one/],
  ['another worker', judgeWorker({ path: '/w', problem: 'It is stock.' }), 'wrong', /stock.*cache\.js/],

  ['the Node that is tested', judgeNode({ running: '24.1.0', pinned: '24.21.0' }), 'ok', /24\.1\.0/],
  ['an older Node', judgeNode({ running: '22.18.0', pinned: '24.21.0' }), 'wrong', /24 is needed/],
  ['a newer Node', judgeNode({ running: '25.0.0', pinned: '24.21.0' }), 'info', /only 24/],

  ['a folder with room', judgeFolder(folder), 'ok', /500 MiB free/],
  ['a full folder', judgeFolder({ ...folder, freeBytes: MIB }), 'warning', /XDG_CACHE_HOME/],
  ['a folder of another user', judgeFolder({ ...folder, writable: false }), 'warning', /cannot be written/],

  ['no server', judgeServer(undefined), 'info', /no Millrace runs/],
  ['a ready server', judgeServer(server), 'ok', /Millrace 0\.1\.0 \(process 7\) runs, and is ready/],
  ['a server that ends', judgeServer({ ...server, readiness: 'not ready' }), 'warning', /shutting down/],
  ['a server that hangs', judgeServer({ ...server, readiness: 'silent' }), 'wrong', /kill 7/],
  [
    'a server that cannot be asked',
    judgeServer({ ...server, readiness: 'not asked' }),
    'info',
    /METRICS_LISTEN=off/,
  ],
]);

it('each fault of a certificate with several', () => {
  const judged = judgeCertificate({ ...named, keyMatches: false, validTo: after(-1), covered: [] });
  assert.deepEqual(
    judged.map(({ level }) => level),
    ['wrong', 'wrong', 'warning'],
  );
});
