import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Pulse } from './pulse.ts';

describe('The pulse of a publication', () => {
  test('beats while the count of bytes grows', () => {
    const pulse = new Pulse(0);
    pulse.connected(100);
    pulse.counted(1000, 8000, 5000);
    pulse.counted(2000, 8000, 10_000);
    assert.equal(pulse.silentMs(10_000), 0);
    assert.equal(pulse.missing, false);
  });

  test('has been silent since the last count that had grown', () => {
    const pulse = new Pulse(0);
    pulse.connected(0);
    pulse.counted(1000, 8000, 5000);
    pulse.counted(1000, 4000, 6500);
    assert.equal(pulse.silentMs(7000), 2000);
    assert.equal(pulse.missing, true);
  });

  test('has been silent for the window of a bitrate that is 0, though this is the first count to say so', () => {
    const pulse = new Pulse(0);
    pulse.connected(0);
    pulse.counted(1000, 8000, 5000);
    pulse.counted(2000, 0, 10_000);
    assert.equal(pulse.silentMs(10_000), 5000);
    pulse.counted(3000, 8000, 11_000);
    pulse.counted(3000, 0, 12_000);
    assert.equal(pulse.silentMs(12_000), 2500);
  });

  test('is not missed before the transport has been connected for a moment', () => {
    const pulse = new Pulse(0);
    pulse.connected(9000);
    pulse.counted(0, 0, 9500);
    assert.equal(pulse.silentMs(9500), 500);
    assert.equal(pulse.missing, false);
  });

  test('begins anew when the transport connects again', () => {
    const pulse = new Pulse(0);
    pulse.connected(0);
    pulse.counted(0, 0, 8000);
    assert.equal(pulse.missing, true);
    pulse.connected(20_000);
    assert.equal(pulse.silentMs(20_100), 100);
    assert.equal(pulse.missing, false);
  });
});
