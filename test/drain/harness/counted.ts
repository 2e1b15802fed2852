import type { DocumentClientPage } from '../../harness/page.ts';

/**
 * Evaluated in a page of test/client: a picture that carries its own number, so that a viewer can tell which
 * pictures it never showed.
 */
const HELPERS = `
globalThis.countedSource = () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
  const context = canvas.getContext('2d');
  let number = 0;
  const paint = () => {
    number = (number + 1) % 65536;
    context.fillStyle = 'rgb(0,160,0)';
    context.fillRect(0, 0, 320, 180);
    for (let bit = 0; bit < 16; bit++) {
      context.fillStyle = (number >> bit) & 1 ? 'white' : 'black';
      context.fillRect(bit * 20, 180, 20, 60);
    }
  };
  // A worker's timer is not slowed in a tab that nobody looks at.
  const clock = new Worker(URL.createObjectURL(new Blob(['setInterval(() => postMessage(0), 40)'])));
  clock.onmessage = paint;
  paint();
  const sound = documentClient.pattern({ toneHz: 500 }).stream.getAudioTracks();
  return { stream: new MediaStream([...canvas.captureStream(25).getVideoTracks(), ...sound]) };
};
globalThis.publishCounted = async (stream) => {
  globalThis.publication = await client.publish(stream, countedSource().stream);
  for (const name of ['connected', 'reconnecting', 'resumed']) publication.on(name, () => log.push('publish ' + name));
  publication.on('ended', ({ reason }) => log.push('publish ended ' + reason));
};
globalThis.watchCounted = (watched = video) => {
  globalThis.seen = [];
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 1 });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const onFrame = (now) => {
    context.drawImage(watched, 0, watched.videoHeight * 0.875, watched.videoWidth, 1, 0, 0, 320, 1);
    const { data } = context.getImageData(0, 0, 320, 1);
    let number = 0;
    for (let bit = 0; bit < 16; bit++) if (data[(bit * 20 + 10) * 4] > 128) number |= 1 << bit;
    seen.push({ number, at: now });
    watched.requestVideoFrameCallback(onFrame);
  };
  watched.requestVideoFrameCallback(onFrame);
};
`;

/** What a viewer showed of a counted picture. */
export interface Watched {
  readonly frames: number;
  /** Pictures that were never shown, between two that were. */
  readonly missed: number;
  /** The most in a row. */
  readonly missedInARow: number;
  readonly longestPauseMs: number;
}

export async function addCounting(page: DocumentClientPage): Promise<void> {
  await page.page.evaluate(HELPERS);
}

export async function watched(page: DocumentClientPage): Promise<Watched> {
  const seen = await page.run<{ number: number; at: number }[]>('seen');
  const gaps = seen.slice(1).map(({ number, at }, index) => {
    const before = seen[index] ?? { number, at };
    return { missed: Math.max(0, ((number - before.number + 65_536) % 65_536) - 1), ms: at - before.at };
  });
  // A picture of the older transport shown after one of the newer one is no loss.
  const missed = gaps.map((gap) => (gap.missed > 32_768 ? 0 : gap.missed));
  return {
    frames: seen.length,
    missed: missed.reduce((sum, each) => sum + each, 0),
    missedInARow: Math.max(0, ...missed),
    longestPauseMs: Math.round(Math.max(0, ...gaps.map(({ ms }) => ms))),
  };
}
