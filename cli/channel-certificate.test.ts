import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { makeAuthority } from '../adapters/channel/websocket/harness/authority.ts';
import { watchChannelCertificate } from './channel-certificate.ts';

const log = pino({ level: 'silent' });

test('a certificate of the channel is read from its files, and a key that is another’s is refused', async (t) => {
  const authority = await makeAuthority();
  const folder = mkdtempSync(join(tmpdir(), 'channel-certificate-'));
  t.after(() => authority.remove());
  t.after(() => rmSync(folder, { recursive: true }));
  const [mine, other] = await Promise.all([authority.certificate('mine'), authority.certificate('other')]);
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const files = {
    channelTlsCa: write('ca.pem', mine.ca),
    channelTlsCert: write('cert.pem', mine.cert),
    channelTlsKey: write('key.pem', mine.key),
  };
  const certificate = watchChannelCertificate(files, log);
  certificate?.close();
  assert.deepEqual(certificate?.get(), mine);
  write('key.pem', other.key);
  assert.throws(() => watchChannelCertificate(files, log), /MILLRACE_CHANNEL_TLS_CA.*cannot be used: .*key/i);
});

test('without files there is none', () => {
  const files = { channelTlsCa: undefined, channelTlsCert: undefined, channelTlsKey: undefined };
  assert.equal(watchChannelCertificate(files, log), undefined);
});
