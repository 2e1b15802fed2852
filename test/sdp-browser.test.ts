/**
 * Real browsers accept the answers to everything that they can be made to offer. No media flows: the
 * transport is made up.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'puppeteer-core';
import type { Codec } from '../core/channel/media.ts';
import { brokenRules } from '../core/sdp/offers/answer-rules.ts';
import { type BrowserName, executableOf, launch, openPage, runVariant } from '../core/sdp/offers/browser.ts';
import { ALL_CODECS, OPTIONS, play, publish, streamOf } from '../core/sdp/offers/model.ts';
import { VARIANTS } from '../core/sdp/offers/variants.ts';

/**
 * What a browser cannot offer, by its build: Debian's Firefox has no H264 before it has fetched a plug-in.
 */
const IMPOSSIBLE: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: [],
  firefox: ['publish-h264', 'publish-simulcast-h264', 'play-h264'],
};

/** Where the server must refuse what the browser offers. */
const REFUSED = ['publish-simulcast-without-codec'];

for (const name of ['chromium', 'firefox'] as const) {
  describe(name, { skip: existsSync(executableOf(name)) ? false : `no ${executableOf(name)}` }, () => {
    let browser: Browser;
    before(async () => {
      browser = await launch(name);
    });
    after(() => browser.close());

    for (const [variant, entry] of Object.entries(VARIANTS)) {
      test(`takes the answer to ${variant}`, async () => {
        const { page, close } = await openPage(browser);
        let sessionVersion = 0;
        let planned: readonly PlannedTrack[] = [];
        const answer = async (offer: string): Promise<string> => {
          const answered = answerTo(variant, entry.role, offer, ++sessionVersion);
          assert.deepEqual(brokenRules(offer, answered.text), []);
          planned = answered.tracks;
          return answered.text;
        };
        try {
          const result = await runVariant(page, entry, answer);
          if ('impossible' in result) {
            assert.ok(IMPOSSIBLE[name].includes(variant), result.impossible);
          } else if ('refused' in result) {
            assert.ok(REFUSED.includes(variant), result.refused);
            assert.match(result.refused, /invalid SDP/);
          } else {
            assert.ok(!REFUSED.includes(variant), 'the offer should have been refused');
            // A rejected one is stopped, which Firefox gives as its direction.
            const active = result.transceivers.filter(({ direction }) =>
              /^(send|recv)/.test(direction ?? ''),
            );
            assert.deepEqual(
              active.map(({ mid, direction }) => `${mid} ${direction}`).sort(),
              planned.map(({ mid }) => `${mid} ${entry.role === 'publish' ? 'sendonly' : 'recvonly'}`).sort(),
            );
            for (const { mid, encodings } of planned) {
              const transceiver = active.find((candidate) => candidate.mid === mid);
              if (encodings > 1) assert.equal(transceiver?.encodings, encodings, 'simulcast is kept');
            }
          }
        } finally {
          await close();
        }
      });
    }
  });
}

interface PlannedTrack {
  readonly mid: string;
  readonly encodings: number;
}

/** The server prefers the codec that the variant is named after, and a viewer's stream has it. */
function answerTo(
  variant: string,
  role: 'publish' | 'play',
  offer: string,
  sessionVersion: number,
): { readonly text: string; readonly tracks: readonly PlannedTrack[] } {
  const options = { ...OPTIONS, sessionVersion };
  const named = (['VP8', 'VP9', 'H264', 'AV1'] as const).find((codec) =>
    variant.split('-').includes(codec.toLowerCase()),
  );
  if (role === 'play') {
    const { answer, plan } = play(offer, streamOf(named ?? 'VP8'), options);
    return { text: answer, tracks: plan.tracks.map(({ mid }) => ({ mid, encodings: 1 })) };
  }
  const order: Codec[] = named ? ['opus', named, ...ALL_CODECS] : [...ALL_CODECS];
  const { answer, plan } = publish(offer, order, options);
  return {
    text: answer,
    tracks: plan.tracks.map(({ mid, rtpParameters }) => ({
      mid,
      encodings: rtpParameters.encodings?.length ?? 0,
    })),
  };
}
