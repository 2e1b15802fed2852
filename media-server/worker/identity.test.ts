import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { workerIdentity } from './cache.js';
import { checkWorkerBinary } from './identity.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-identity-'));
});
after(() => rm(folder, { recursive: true }));

async function fakeWorker(name: string, body: string, mode = 0o755): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, body, { mode });
  return path;
}

const answering = (line: string) => `#!/bin/sh\n[ "$1" = --identify ] && echo '${line}'\n`;

test('a worker that gives the identity of this version is accepted', async () => {
  await checkWorkerBinary(await fakeWorker('right', answering(workerIdentity())));
});

const refused: readonly [string, () => Promise<string>, RegExp][] = [
  ['a missing file', async () => join(folder, 'nowhere'), /There is no mediasoup worker at .*nowhere/],
  [
    'a file without the executable bit',
    () => fakeWorker('plain', answering('x'), 0o644),
    /is not executable/,
  ],
  [
    'a stock worker, which ends with 41 when asked',
    () => fakeWorker('stock', '#!/bin/sh\necho "no father" >&2\nexit 41\n'),
    /stock mediasoup worker/,
  ],
  [
    'a worker of another version',
    () => fakeWorker('old', answering('millrace-verbatim-consumer/0 mediasoup/3.0.0')),
    /needs "millrace/,
  ],
  [
    'a worker whose shared libraries are missing',
    () => fakeWorker('unlinked', '#!/bin/sh\necho "libuv.so.1: cannot open" >&2\nexit 127\n'),
    /does not run on this machine: libuv.so.1: cannot open/,
  ],
  ['a file that is no program', () => fakeWorker('noise', '\x7fELFnoise'), /does not run on this machine/],
];

for (const [what, make, message] of refused) {
  test(`${what} is refused with the way to build the right one`, async () => {
    const error = await checkWorkerBinary(await make()).then(
      () => assert.fail('it was accepted'),
      (reason: Error) => reason,
    );
    assert.match(error.message, message);
    assert.match(error.message, /node media-server\/worker\/cache\.js/);
  });
}
