import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { openS3 } from '../../../adapters/storage/s3/s3.ts';
import { FaultProxy } from '../../harness/fault-proxy.ts';
import { Fixture } from '../../harness/fixture.ts';
import { BUCKET, startVersitygw } from '../../harness/versitygw.ts';
import { recordingSettings } from './recording-server.ts';

const PREFIX = 'live';
const CALL = { timeoutMs: 10_000 };

/** A server that records into a real S3 server, through a proxy that fails as the test says. */
export async function startS3Recording(settings: Readonly<Record<string, string>> = {}) {
  const gateway = await startVersitygw();
  const secret = gateway.credentials.AWS_SECRET_ACCESS_KEY;
  const proxy = await FaultProxy.start({ port: gateway.port, secret });
  const direct = openS3({ bucket: BUCKET, prefix: PREFIX, endpoint: gateway.endpoint, pathStyle: true });
  const folder = mkdtempSync(join(tmpdir(), 'millrace-s3-recording-'));
  const fixture = await Fixture.start({
    ...recordingSettings(folder),
    MILLRACE_RECORDINGS: `s3://${BUCKET}/${PREFIX}?endpoint=${encodeURIComponent(proxy.endpoint)}`,
    ...settings,
  });
  after(async () => {
    direct.close();
    await proxy.stop();
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    fixture,
    proxy,
    /** The same place without the proxy. */
    direct,
    /** Where the S3 server has an object's bytes. */
    fileOf: (name: string) => join(gateway.folder, PREFIX, name),
    /** Objects that are no finished files, and uploads under way. */
    leftovers: async () => [
      ...(await direct.list('.millrace/', CALL)).map(({ key }) => key),
      ...(await direct.uploads('', CALL)).map(({ key, id }) => `${key} ${id}`),
    ],
  };
}
