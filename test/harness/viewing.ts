import assert from 'node:assert/strict';
import { eventually } from './condition.ts';
import type { DocumentClientPage, Perception } from './page.ts';

/** The colours that tests publish, as `pattern` of document-client.js paints them. */
export const COLOURS = { green: 'rgb(0,160,0)', blue: 'rgb(0,0,200)', red: 'rgb(200,0,0)' } as const;
export type Colour = keyof typeof COLOURS;
const CHANNEL = { red: 0, green: 1, blue: 2 } as const;

/** Whatever plays and tells what it perceives. */
export type Viewer = Pick<DocumentClientPage, 'perceive'>;

/** Whether the picture's middle has the colour, as far as a lossy codec keeps it. */
export function showsColour(seen: Perception, colour: Colour): boolean {
  if (!seen.colour) return false;
  const strongest = CHANNEL[colour];
  return seen.colour.every((value, channel) => (channel === strongest ? value > 100 : value < 90));
}

/** Waits until at least `frames` more frames of the colour were decoded. @returns what was seen then */
export async function seesMovingPicture(
  viewer: Viewer,
  colour: Colour,
  { frames = 10, name = 'playback', timeoutMs = 30_000 } = {},
): Promise<Perception> {
  const first = await viewer.perceive(name);
  return eventually(
    `${frames} ${colour} frames`,
    async () => {
      const seen = await viewer.perceive(name);
      if (seen.framesDecoded >= first.framesDecoded + frames && showsColour(seen, colour)) return seen;
      throw new Error(`seen ${JSON.stringify(seen)}`);
    },
    { timeoutMs },
  );
}

/** Waits until the tone is the loudest thing heard. */
export async function hearsTone(viewer: Viewer, toneHz: number, name = 'playback'): Promise<void> {
  await eventually(`a tone of ${toneHz} Hz`, async () => {
    const seen = await viewer.perceive(name);
    if (seen.toneHz !== undefined && Math.abs(seen.toneHz - toneHz) < 15 && (seen.toneDb ?? -200) > -60)
      return true;
    throw new Error(`heard ${seen.toneHz} Hz at ${seen.toneDb} dB`);
  });
}

/** @throws AssertionError unless the reply is a success */
export function succeeded(reply: { err: number; err_msg: string } | undefined): void {
  assert.ok(reply);
  assert.equal(reply.err, 0, reply.err_msg);
}
