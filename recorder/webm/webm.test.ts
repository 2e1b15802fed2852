import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BufferSource, EncodedPacketSink, Input, WEBM } from 'mediabunny';
import { type CuePoint, type FileTrack, HEAD_BYTES } from '../chunk.ts';
import { type Block, clusterLength, writeCluster } from './cluster.ts';
import { buildCues, MAX_CUES, thinCues } from './cues.ts';
import { buildHead, SEGMENT_START } from './head.ts';

const TRACKS: readonly FileTrack[] = [
  { number: 1, kind: 'video', codec: 'VP8', width: 640, height: 360 },
  { number: 2, kind: 'audio', codec: 'opus' },
];
const STARTED_AT_MS = Date.UTC(2026, 10, 23, 12, 0, 0);

describe('A WebM file:', () => {
  test('is read back with its tracks, times and bytes', async () => {
    const clusters = [
      { timeMs: 0, blocks: [picture(0, true), sound(0), sound(20), picture(33, false), sound(40)] },
      { timeMs: 70_000, blocks: [picture(70_000, true), sound(70_007), picture(70_033, false)] },
    ];
    await withInput(fileOf(TRACKS, clusters, 70_066), async (input) => {
      assert.equal(await input.getMimeType(), 'video/webm; codecs="vp8, opus"');
      assert.equal((await input.getMetadataTags()).date?.getTime() ?? STARTED_AT_MS, STARTED_AT_MS);
      const video = await input.getPrimaryVideoTrack();
      const audio = await input.getPrimaryAudioTrack();
      assert.ok(video && audio);
      assert.deepEqual([video.codedWidth, video.codedHeight, video.codec], [640, 360, 'vp8']);
      assert.deepEqual([audio.numberOfChannels, audio.sampleRate, audio.codec], [2, 48_000, 'opus']);
      const pictures = clusters.flatMap(({ blocks }) => blocks.filter(({ track }) => track === 1));
      const found = [];
      for await (const packet of new EncodedPacketSink(video).packets())
        found.push([Math.round(packet.timestamp * 1000), packet.type, Buffer.from(packet.data).toString()]);
      assert.deepEqual(
        found,
        pictures.map(({ timeMs, keyFrame, data }) => [
          timeMs,
          keyFrame ? 'key' : 'delta',
          Buffer.from(data).toString(),
        ]),
      );
    });
  });

  test('is sought by its cues', async () => {
    const clusters = [0, 10_000, 20_000, 30_000].map((timeMs) => ({
      timeMs,
      blocks: [picture(timeMs, true)],
    }));
    await withInput(fileOf(TRACKS.slice(0, 1), clusters, 30_033), async (input) => {
      const video = await input.getPrimaryVideoTrack();
      assert.ok(video);
      const packet = await new EncodedPacketSink(video).getKeyPacket(25);
      assert.equal(packet?.timestamp, 20);
    });
  });

  test('has sound alone, too', async () => {
    const file = fileOf(
      [{ number: 1, kind: 'audio', codec: 'opus' }],
      [{ timeMs: 0, blocks: [{ ...sound(0), track: 1 }] }],
      20,
    );
    await withInput(file, async (input) => assert.equal((await input.getTracks()).length, 1));
  });
});

describe('The head:', () => {
  const finished = { tracks: TRACKS, startedAtMs: STARTED_AT_MS, durationMs: 1, cuesBytes: 30 };

  test('fills its room exactly, whatever the size of the file', () => {
    for (const mediaBytes of [HEAD_BYTES, 2 ** 31, 2 ** 45])
      assert.equal(buildHead({ ...finished, mediaBytes }).length, HEAD_BYTES);
  });

  test('leaves cues out where there are none', () => {
    const head = buildHead({ ...finished, mediaBytes: HEAD_BYTES, cuesBytes: 0 });
    assert.equal(Buffer.from(head).indexOf('1c53bb6b', 'hex'), -1);
  });

  test('refuses tracks that it has no room for', () => {
    const codecPrivate = Buffer.alloc(HEAD_BYTES).toString('base64');
    const tracks: FileTrack[] = [{ number: 1, kind: 'video', codec: 'AV1', codecPrivate }];
    assert.throws(() => buildHead({ ...finished, tracks, mediaBytes: HEAD_BYTES }), RangeError);
  });
});

describe('A cluster:', () => {
  test('is as long as it was said to be, and has the bytes of RFC 9559', () => {
    const blocks = [{ track: 2, timeMs: 998, keyFrame: true, data: Buffer.from('ab') }, picture(1033, false)];
    const bytes = new Uint8Array(clusterLength(blocks, 1000));
    assert.equal(writeCluster(bytes, 0, blocks, 1000), bytes.length);
    assert.match(Buffer.from(bytes).toString('hex'), /^1f43b675a0e78203e8a38682fffe806162a39281002100/);
  });

  test('refuses a block that is too far from its time', () => {
    const blocks = [picture(32_768, false)];
    assert.throws(() => writeCluster(new Uint8Array(100), 0, blocks, 0), RangeError);
  });
});

describe('Cues:', () => {
  const cuesOf = (count: number): CuePoint[] =>
    Array.from({ length: count }, (_, i) => ({ timeMs: i * 10_000, track: 1, offset: HEAD_BYTES + i * 1e6 }));

  test('are nothing where there are none', () => assert.equal(buildCues([]).length, 0));

  test('are kept as they are up to their bound', () => {
    const cues = cuesOf(MAX_CUES);
    assert.deepEqual(thinCues(cues), cues);
  });

  test('are thinned evenly beyond it', () => {
    const thinned = thinCues(cuesOf(3 * MAX_CUES));
    assert.ok(thinned.length <= MAX_CUES && thinned.length > MAX_CUES * 0.9, `${thinned.length}`);
    const steps = thinned.slice(1).map(({ timeMs }, i) => timeMs - (thinned[i]?.timeMs ?? 0));
    assert.ok(Math.max(...steps) <= 40_000, `${Math.max(...steps)}`);
    assert.ok(buildCues(cuesOf(3 * MAX_CUES)).length < 150_000);
  });
});

function picture(timeMs: number, keyFrame: boolean): Block {
  // The first byte's lowest bit says "key frame" in VP8, which readers may look at (RFC 6386 section 9.1).
  return { track: 1, timeMs, keyFrame, data: Buffer.from(`${keyFrame ? 'P' : 'Q'} picture ${timeMs}`) };
}

function sound(timeMs: number): Block {
  return { track: 2, timeMs, keyFrame: true, data: Buffer.from([0xf8, 0xff, 0xfe]) };
}

function fileOf(
  tracks: readonly FileTrack[],
  clusters: readonly { readonly timeMs: number; readonly blocks: readonly Block[] }[],
  durationMs: number,
): Uint8Array {
  const cues: CuePoint[] = [];
  const media: Uint8Array[] = [];
  let mediaBytes = HEAD_BYTES;
  for (const { timeMs, blocks } of clusters) {
    const bytes = new Uint8Array(clusterLength(blocks, timeMs));
    writeCluster(bytes, 0, blocks, timeMs);
    cues.push({ timeMs, track: 1, offset: mediaBytes });
    media.push(bytes);
    mediaBytes += bytes.length;
  }
  const cuesBytes = buildCues(cues);
  const head = buildHead({
    tracks,
    startedAtMs: STARTED_AT_MS,
    durationMs,
    mediaBytes,
    cuesBytes: cuesBytes.length,
  });
  assert.equal(
    Buffer.from(head).readBigUInt64BE(SEGMENT_START - 8) & 0xffffffffffffffn,
    BigInt(mediaBytes + cuesBytes.length - SEGMENT_START),
  );
  return Buffer.concat([head, ...media, cuesBytes]);
}

async function withInput(file: Uint8Array, look: (input: Input) => Promise<void>): Promise<void> {
  const input = new Input({ source: new BufferSource(file), formats: [WEBM] });
  try {
    await look(input);
  } finally {
    input.dispose();
  }
}
