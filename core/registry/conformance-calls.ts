import { NO_PROGRESS } from '../recording/progress.ts';
import {
  claim,
  held,
  name,
  node,
  nodeId,
  recording,
  recordingId,
  running,
  session,
  sessionId,
} from './conformance-trial.ts';
import type { Registry } from './registry.ts';

/** Each method that asks the registry something, once. */
export function everyCall(registry: Registry): readonly (() => Promise<unknown>)[] {
  return [
    () => registry.announceNode(node('a')),
    () => registry.nodes(),
    () => registry.withdrawNode(nodeId('a')),
    () => registry.fenceNode(nodeId('a')),
    () => registry.reportDeadNode(nodeId('a'), 'b'),
    () => registry.claimStream(claim('lobby', 'a')),
    () => registry.describeStream(name('lobby'), 1, []),
    () => registry.releaseStream(name('lobby'), 1),
    () => registry.reannounceStream(held('lobby', 'a', 1)),
    () => registry.findStream(name('lobby')),
    () => registry.streams({ limit: 1 }),
    () => registry.saveSession(session('s'), 1000),
    () => registry.findSession(sessionId('s')),
    () => registry.takeSession(sessionId('s'), 'signaling-2', 1000),
    () => registry.deleteSession(sessionId('s'), 0),
    () => registry.sessions({ limit: 1 }),
    () => registry.enterRecording(recording('r'), 'host'),
    () => registry.takeRecording({ id: recordingId('r'), host: 'host', seen: 0 }),
    () => registry.saveRecording(recordingId('r'), 0, NO_PROGRESS),
    () => registry.grantFinish(recordingId('r'), 0),
    () => registry.reannounceRecording(running('r', 1)),
    () => registry.forgetRecording(recordingId('r'), 0),
    () => registry.findRecording(recordingId('r')),
    () => registry.recordings({ limit: 1 }),
  ];
}
