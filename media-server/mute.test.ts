import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Kind, MuteState } from '../core/channel/media.ts';
import { mutedAfter, reportedMute, UNMUTED } from './mute.ts';

const BOTH = [{ kind: 'video' }, { kind: 'audio' }] as const;
const SOUND = [{ kind: 'audio' }] as const;

describe('A mute', () => {
  type Request = Partial<MuteState>;
  type Tracks = readonly { readonly kind: Kind }[];
  const cases: readonly [string, MuteState, Request, Tracks, MuteState][] = [
    ['mutes what it names', UNMUTED, { video: true }, BOTH, { video: true, audio: false }],
    [
      'leaves alone what it does not name',
      { video: true, audio: true },
      { audio: false },
      BOTH,
      { video: true, audio: false },
    ],
    [
      'does nothing when it names nothing',
      { video: true, audio: false },
      {},
      BOTH,
      { video: true, audio: false },
    ],
    [
      'does not reach a kind that is not there',
      UNMUTED,
      { video: true, audio: true },
      SOUND,
      { video: false, audio: true },
    ],
  ];
  for (const [name, before, request, tracks, expected] of cases) {
    test(name, () => assert.deepEqual(mutedAfter(before, request, tracks), expected));
  }

  test('is reported as false for a kind that the tracks lack', () => {
    assert.deepEqual(reportedMute({ video: true, audio: true }, SOUND), { video: false, audio: true });
  });
});
