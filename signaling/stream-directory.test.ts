import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError, type StreamName } from '../core/protocol/index.ts';
import type { StreamRecord } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';
import { StreamDirectory } from './stream-directory.ts';

const NAME = 'lobby' as StreamName;
const record = { name: NAME, epoch: 7 } as StreamRecord;

function directory(answers: (StreamRecord | undefined | 'away')[]): StreamDirectory {
  const findStream = async () => {
    const answer = answers.shift();
    if (answer === 'away') throw new MillraceError('registry_unavailable', 'away');
    return answer;
  };
  return new StreamDirectory({ findStream } as unknown as Registry);
}

test('what the registry said last holds while it is away', async () => {
  const streams = directory([record, 'away', undefined, 'away']);
  assert.equal(await streams.find(NAME), record);
  assert.equal(await streams.find(NAME), record);
  assert.equal(await streams.find(NAME), undefined);
  await assert.rejects(streams.find(NAME), { errorName: 'registry_unavailable' });
});

test('a stream that ended is forgotten, unless it is known with another epoch', async () => {
  const streams = directory(['away', 'away']);
  streams.learn(record);
  streams.forget(NAME, 6);
  assert.equal(await streams.find(NAME), record);
  streams.forget(NAME, 7);
  await assert.rejects(streams.find(NAME), { errorName: 'registry_unavailable' });
});
