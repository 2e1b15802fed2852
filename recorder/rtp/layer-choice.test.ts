import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Frame } from '../frame.ts';
import { LayerChoice } from './layer-choice.ts';

/** Plays encodings 0, 1 and 2 into a choice and says which of their frames were taken, `!` behind a loss. */
class Scene {
  readonly choice = new LayerChoice(3);
  readonly taken: string[] = [];

  /** @param encodings those that deliver a frame, in this order; `K` behind one: a key frame */
  at(atMs: number, ...encodings: readonly string[]): this {
    for (const text of encodings) {
      const encoding = Number(text[0]);
      this.choice.delivered(encoding, atMs);
      this.#take(this.choice.choose(encoding, [frame(encoding, text.endsWith('K'), atMs)], atMs));
    }
    this.#take(this.choice.tick(atMs));
    return this;
  }

  #take(frames: readonly Frame[]): void {
    for (const { ssrc, atMs, afterLoss } of frames) this.taken.push(`${ssrc}@${atMs}${afterLoss ? '!' : ''}`);
  }
}

describe('The choice of a layer', () => {
  test('is the largest whose key frame comes within 300 ms of the first one', () => {
    const scene = new Scene().at(0, '0K').at(10, '1K').at(40, '0', '1').at(200, '2K').at(240, '2', '1');
    assert.deepEqual(scene.taken, ['2@200', '2@240']);
  });

  test('is the largest that delivers when no larger comes, with all of its frames', () => {
    const scene = new Scene().at(0, '0K').at(10, '1K').at(40, '0', '1').at(310, '0', '1');
    assert.deepEqual(scene.taken, ['1@10', '1@40', '1@310']);
  });

  test('rises at once at the key frame of a larger encoding', () => {
    const scene = new Scene().at(0, '0K').at(300, '0').at(340, '1').at(380, '1K', '0').at(420, '0', '1');
    assert.deepEqual(scene.taken, ['0@0', '0@300', '1@380', '1@420']);
  });

  test('rises to no key frame that is older than what was taken', () => {
    const scene = new Scene().at(0, '0K').at(300, '0').at(700, '1', '0');
    const late = scene.choice.choose(1, [frame(1, true, 590)], 710);
    assert.deepEqual(late, []);
    scene.at(800, '1K');
    assert.deepEqual(scene.taken, ['0@0', '0@300', '0@700', '1@800']);
  });

  test('never falls while its encoding delivers', () => {
    const scene = new Scene().at(0, '2K').at(40, '0K', '1K', '2').at(80, '0K', '2');
    assert.deepEqual(scene.taken, ['2@0', '2@40', '2@80']);
  });

  test('falls at a key frame when its encoding has been silent for 500 ms', () => {
    const scene = new Scene()
      .at(0, '2K')
      .at(480, '1K', '0K')
      .at(520, '0', '1')
      .at(560, '0K', '1K')
      .at(600, '1');
    scene.at(860, '1');
    assert.deepEqual(scene.taken, ['2@0', '1@560!', '1@600', '1@860']);
  });

  test('falls when its encoding delivers, but for a second nothing that can be decoded', () => {
    const scene = new Scene().at(0, '2K');
    scene.choice.waits(2, true, 100);
    for (let atMs = 100; atMs < 1500; atMs += 100) {
      scene.choice.delivered(2, atMs);
      scene.at(atMs, '1K');
    }
    assert.deepEqual(scene.taken.slice(0, 2), ['2@0', '1@1100!']);
  });

  test('stays when its encoding comes back before another was taken', () => {
    const scene = new Scene().at(0, '2K').at(600, '0K').at(620, '2').at(1000, '0', '2');
    assert.deepEqual(scene.taken, ['2@0', '2@620', '2@1000']);
  });

  test('after a pause is as open as at the beginning', () => {
    const scene = new Scene().at(0, '2K');
    scene.choice.restart();
    scene.at(5000, '0K').at(5010, '1K').at(5020, '2K').at(5060, '0', '1', '2');
    assert.deepEqual(scene.taken, ['2@0', '2@5020', '2@5060']);
  });

  test('starves before the first frame, while its encoding waits, and while others deliver in its place', () => {
    const { choice } = new Scene();
    assert.equal(choice.starves(0), true);
    const scene = new Scene().at(0, '2K', '1');
    assert.equal(scene.choice.starves(100), false);
    scene.at(600, '1');
    assert.equal(scene.choice.starves(600), true);
    scene.at(640, '2');
    assert.equal(scene.choice.starves(640), false);
    scene.choice.waits(2, true, 640);
    assert.equal(scene.choice.starves(640), true);
    scene.choice.waits(2, false, 640);
    assert.equal(scene.choice.starves(5000), false, 'no key frame brings a silent sender back');
  });

  test('keeps a bounded number of frames back', () => {
    const scene = new Scene().at(0, '0K');
    for (let count = 0; count < 200; count += 1) scene.at(1, '0');
    assert.ok(scene.taken.length >= 72, `${scene.taken.length} frames taken`);
  });
});

function frame(encoding: number, keyFrame: boolean, atMs: number): Frame {
  return {
    track: 1,
    kind: 'video',
    ssrc: encoding,
    rtpTimestamp: atMs * 90,
    keyFrame,
    data: new Uint8Array(0),
    afterLoss: false,
    atMs,
  };
}
