import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeAuthority } from '../../adapters/channel/websocket/harness/authority.ts';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { COLOURS, seesMovingPicture, succeeded } from '../harness/viewing.ts';
import { Cluster, type SignalingRole } from './harness/cluster.ts';
import type { Role } from './harness/role.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-proofs-'));
const authority = await makeAuthority();
after(async () => {
  rmSync(folder, { recursive: true });
  await authority.remove();
});
const [OLD, NEW] = ['the secret that is on its way out', 'the secret that takes its place now'];

/** The settings of a process that has a certificate of its own. */
async function certified(name: string): Promise<Readonly<Record<string, string>>> {
  const certificate = await authority.certificate(name);
  const fileOf = (part: 'ca' | 'cert' | 'key') => {
    const path = join(folder, `${name}-${part}.pem`);
    writeFileSync(path, certificate[part]);
    return path;
  };
  return {
    MILLRACE_CHANNEL_TLS_CA: fileOf('ca'),
    MILLRACE_CHANNEL_TLS_CERT: fileOf('cert'),
    MILLRACE_CHANNEL_TLS_KEY: fileOf('key'),
  };
}

async function playsAt(cluster: Cluster, signaling: SignalingRole, stream: string): Promise<void> {
  const publisher = await cluster.open(signaling);
  const viewer = await cluster.open(signaling);
  succeeded(await publisher.publish(stream, { colour: COLOURS.green }));
  succeeded(await viewer.play(stream));
  await seesMovingPicture(viewer, 'green');
  await publisher.close();
  await viewer.close();
}

const refusals = ({ log }: Role) => log.filter(({ msg }) => msg === 'a process was not let in');

test('processes with certificates of one authority share no secret', async () => {
  const cluster = await Cluster.start({ signaling: 0, media: 0 }, {});
  const media = await cluster.addMedia(await certified('media'));
  assert.match(String(media.ready.channel), /^wss:/);
  await playsAt(cluster, await cluster.addSignaling(await certified('signaling')), 'certified');
  assert.deepEqual(refusals(media), []);
});

test('a secret is replaced while everything runs', async () => {
  const file = (name: string, ...secrets: string[]) => {
    const path = join(folder, name);
    writeFileSync(path, `${secrets.join('\n')}\n`);
    return path;
  };
  const cluster = await Cluster.start({ signaling: 0, media: 0 }, {});
  const media = await cluster.addMedia({ MILLRACE_CHANNEL_SECRET_FILE: file('media', OLD) });
  const before = await cluster.addSignaling({ MILLRACE_CHANNEL_SECRET_FILE: file('before', OLD) });
  await playsAt(cluster, before, 'before');

  const stranger = await cluster.addSignaling({ MILLRACE_CHANNEL_SECRET_FILE: file('after', NEW) });
  const refused = await cluster.open(stranger);
  assert.equal((await refused.publish('refused'))?.err, 50301);
  await eventually('the refusal', () => refusals(media).length === 1);
  assert.equal(refusals(media)[0]?.why, 'the token is signed with another secret');
  await stranger.stop();

  file('media', NEW, OLD);
  await eventually('the new secret', () =>
    media.log.some(({ msg, secrets }) => msg === 'secrets of the channel reloaded' && secrets === 2),
  );
  await playsAt(
    cluster,
    await cluster.addSignaling({ MILLRACE_CHANNEL_SECRET_FILE: join(folder, 'after') }),
    'after',
  );
  await playsAt(cluster, before, 'still there');
  const shown = [media, before, stranger].flatMap(({ log }) => log).map((record) => JSON.stringify(record));
  assert.deepEqual(
    shown.filter((line) => line.includes(OLD) || line.includes(NEW)),
    [],
  );
});

test('a recorder reaches a server that speaks TLS', async () => {
  const fixture = await Fixture.start({
    ...(await certified('recording')),
    MILLRACE_RECORDINGS: join(folder, 'recordings'),
    MILLRACE_RECORDING_SPOOL: join(folder, 'spool'),
  });
  const publisher: DocumentClientPage = await fixture.open('chromium');
  succeeded(await publisher.publish('camera', { colour: COLOURS.blue }));
  succeeded(await publisher.request('record.start', 'camera', { fileName: 'over-tls' }));
  await eventually('a second of it', async () => {
    const { recordings } = await (await fetch(`${fixture.server.httpUrl}/api/v1/recordings`)).json();
    return recordings[0].durable_ms > 1000;
  });
  succeeded(await publisher.request('record.stop', 'camera', {}));
  const file = join(folder, 'recordings', 'over-tls.webm');
  assert.ok(existsSync(file) && statSync(file).size > 5000);
  await publisher.close();
});
