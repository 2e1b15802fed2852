import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import { Watch } from './watch.ts';

const TRACKS = '[{"kind":"video","codec":"VP8","encodings":1}]';
const stream = (epoch: number, tracks = '[]') => `${epoch}\n"n"\n7\n{"session":"s","subject":""}\n${tracks}`;
const held = (version: number, epoch: number, tracks?: string) =>
  `${version}\nheld\n${stream(epoch, tracks)}`;
const released = (version: number, epoch: number) => `${version}\nreleased\n${epoch}`;

function watching() {
  const told: string[] = [];
  const watch = new Watch('lobby' as StreamName, (change) => {
    told.push(`${change.type} ${change.type === 'released' ? change.epoch : change.stream.epoch}`);
  });
  const read = (version: number, text?: string, complete = true) => {
    watch.beginReading();
    watch.read(version, text, complete);
  };
  /** What was told since it was asked last. */
  const news = async () => {
    await Promise.resolve();
    return told.splice(0);
  };
  return { watch, read, news };
}

test('What is read is told, then changes as they come', async () => {
  const { watch, read, news } = watching();
  read(5, stream(5));
  watch.hear(held(6, 5, TRACKS));
  watch.hear(released(7, 5));
  assert.deepEqual(await news(), ['claimed 5', 'described 5', 'released 5']);
});

test('Changes that came while it was read are told after it, those that it had already are not', async () => {
  const { watch, news } = watching();
  watch.beginReading();
  watch.hear(held(4, 4));
  watch.hear(held(5, 5));
  watch.hear(held(6, 5, TRACKS));
  watch.read(5, stream(5), true);
  assert.deepEqual(await news(), ['claimed 5', 'described 5']);
});

test('Read again, it tells what changed meanwhile, and nothing that did not', async () => {
  const { watch, read, news } = watching();
  read(5, stream(5));
  watch.renew();
  watch.hear(held(6, 6));
  assert.deepEqual(await news(), ['claimed 5']);
  read(6, stream(5));
  assert.deepEqual(await news(), []);
  read(9, stream(8, TRACKS));
  read(10);
  assert.deepEqual(await news(), ['described 8', 'released 8']);
  read(11);
  assert.deepEqual(await news(), []);
});

test('A registry whose clock went back is believed', async () => {
  const { watch, read, news } = watching();
  read(500, stream(500));
  watch.renew();
  read(20, stream(500));
  watch.hear(released(21, 500));
  assert.deepEqual(await news(), ['claimed 500', 'released 500']);
});

test('What a registry that is not complete does not know is no release yet', async () => {
  const { watch, read, news } = watching();
  read(5, stream(5));
  read(6, undefined, false);
  assert.deepEqual(await news(), ['claimed 5']);
  watch.renewIfDoubtful();
  assert.equal(watch.isDue, true);
  read(7);
  assert.deepEqual(await news(), ['released 5']);
  watch.renewIfDoubtful();
  assert.equal(watch.isDue, false);
});

test('Too many changes while it is read are read instead', async () => {
  const { watch, news } = watching();
  watch.beginReading();
  for (let version = 1; version <= 101; version++) watch.hear(held(version, version));
  assert.equal(watch.isDue, true);
  watch.read(50, stream(50), true);
  assert.deepEqual(await news(), []);
});

test('A watch that was stopped tells nothing, of what it was about to tell neither', async () => {
  const { watch, read, news } = watching();
  read(5, stream(5));
  watch.stop();
  assert.deepEqual(await news(), []);
});
