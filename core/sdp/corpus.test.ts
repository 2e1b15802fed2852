import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../protocol/error.ts';
import { brokenRules } from './offers/answer-rules.ts';
import { offerNames, play, publish, readOffer, streamOf } from './offers/model.ts';

/** Offers of the corpus that must be refused, with the words that their refusal has to contain. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'chromium-publish-simulcast-without-codec': /invalid SDP: section 1 .* simulcast .* needs VP8 or H264/,
  'firefox-publish-simulcast-without-codec': /invalid SDP: section 1 .* simulcast .* needs VP8 or H264/,
  'written-gstreamer-publish-unbundled': /bundle policy to max-bundle/,
};

const VIDEO = ['VP8', 'VP9', 'H264', 'AV1'] as const;

for (const name of offerNames().filter((name) => name.includes('-publish') && !name.startsWith('broken-'))) {
  const refusal = REFUSED[name];
  if (refusal) {
    test(`${name} is refused with a reason`, () => {
      assert.throws(() => publish(readOffer(name)), refusal);
    });
    continue;
  }
  for (const order of [
    ['opus', ...VIDEO],
    ['AV1', 'H264', 'VP9', 'VP8', 'opus'],
    ['opus', 'H264'],
  ] as const) {
    test(`${name} is answered by the rules when the server prefers ${order.join(', ')}`, (context) => {
      const text = readOffer(name);
      try {
        const { answer, plan } = publish(text, order);
        assert.deepEqual(brokenRules(text, answer), []);
        assert.ok(plan.tracks.length > 0);
      } catch (error) {
        assert.ok(error instanceof MillraceError, String(error));
        assert.deepEqual(order, ['opus', 'H264'], error.message);
        context.diagnostic(error.message);
      }
    });
  }
}

for (const name of offerNames().filter((name) => name.includes('-play') && !name.startsWith('broken-'))) {
  for (const codec of VIDEO) {
    test(`${name} is answered by the rules for a stream of ${codec}, or told why not`, () => {
      const text = readOffer(name);
      try {
        assert.deepEqual(brokenRules(text, play(text, streamOf(codec)).answer), []);
      } catch (error) {
        assert.ok(error instanceof MillraceError, String(error));
        assert.equal(error.errorName, 'no_common_codec');
        assert.match(error.message, new RegExp(`its video is ${codec}.*, offered are `));
        assert.doesNotMatch(text, new RegExp(`^a=rtpmap:\\d+ ${codec}/`, 'm'));
      }
    });
  }
}
