import { MillraceError } from '../../../core/protocol/error.ts';
import type { NodeId } from '../../../core/registry/record.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import { Nodes } from './nodes.ts';
import { Recordings } from './recordings.ts';
import { Sessions } from './sessions.ts';
import { heldChange, Streams } from './streams.ts';
import { Watches } from './watches.ts';

/**
 * The registry of a server that is one process. It is bounded by what that process may hold: nodes, streams,
 * sessions and recordings by their own limits, and what it remembers of gone ones by a fixed number. It has no timers.
 *
 * @param options.nowUs Unix time in whole microseconds; it should not run backwards
 */
export function createMemoryRegistry({ nowUs = monotonicUnixUs } = {}): Registry {
  const watches = new Watches();
  const nodes = new Nodes();
  const streams = new Streams((change) => watches.tell(change));
  const sessions = new Sessions();
  const recordings = new Recordings();
  const nowMs = () => Math.floor(nowUs() / 1000);
  let closed = false;

  function checkOpen(): void {
    if (closed) throw new MillraceError('registry_unavailable', 'the registry is closed; try again');
  }

  function checkAnnounced(node: NodeId): void {
    if (nodes.has(node)) return;
    throw new MillraceError('no_media_server', `media server "${node}" is not announced; try again`);
  }

  async function removeNode(id: NodeId): Promise<void> {
    checkOpen();
    nodes.remove(id);
    streams.releaseAllOf(id);
  }

  return {
    async announceNode(node) {
      checkOpen();
      return nodes.announce(node, nowUs());
    },
    async nodes() {
      checkOpen();
      return nodes.list(nowUs());
    },
    withdrawNode: removeNode,
    fenceNode: removeNode,
    async reportDeadNode(id, observer) {
      checkOpen();
      if (nodes.isGone(id)) return true;
      if (!nodes.report(id, observer, nowUs())) return false;
      await removeNode(id);
      return true;
    },

    async claimStream(claim) {
      checkOpen();
      checkAnnounced(claim.node);
      return streams.claim(claim, nowUs());
    },
    async describeStream(name, epoch, tracks) {
      checkOpen();
      return streams.describe(name, epoch, tracks);
    },
    async releaseStream(name, epoch) {
      checkOpen();
      return streams.release(name, epoch);
    },
    async reannounceStream(stream) {
      checkOpen();
      if (nodes.isGone(stream.node)) return false;
      checkAnnounced(stream.node);
      return streams.reannounce(stream);
    },
    async findStream(name) {
      checkOpen();
      return streams.find(name);
    },
    async streams(page) {
      checkOpen();
      return streams.page(page);
    },
    watchStream(name, listener) {
      checkOpen();
      const stream = streams.find(name);
      return watches.add(name, listener, stream && heldChange(stream));
    },

    async saveSession(session, ttlMs) {
      checkOpen();
      return sessions.save(session, ttlMs, nowUs());
    },
    async findSession(id) {
      checkOpen();
      return sessions.find(id, nowUs());
    },
    async takeSession(id, signaling, ttlMs) {
      checkOpen();
      return sessions.take(id, signaling, ttlMs, nowUs());
    },
    async deleteSession(id, epoch) {
      checkOpen();
      return sessions.delete(id, epoch, nowUs());
    },
    async sessions(page) {
      checkOpen();
      return sessions.page(page, nowUs());
    },

    async enterRecording(spec, host) {
      checkOpen();
      return recordings.enter(spec, host, nowMs());
    },
    async takeRecording(take) {
      checkOpen();
      return recordings.take(take, nowMs());
    },
    async saveRecording(id, attempt, progress) {
      checkOpen();
      return recordings.save(id, attempt, progress, nowMs());
    },
    async grantFinish(id, attempt) {
      checkOpen();
      return recordings.grantFinish(id, attempt);
    },
    async reannounceRecording(recording) {
      checkOpen();
      return recordings.reannounce(recording, nowMs());
    },
    async leaseSweep(host) {
      checkOpen();
      return recordings.leaseSweep(host, nowMs());
    },
    async forgetRecording(id, attempt) {
      checkOpen();
      return recordings.forget(id, attempt);
    },
    async findRecording(id) {
      checkOpen();
      return recordings.find(id, nowMs());
    },
    async recordings(page) {
      checkOpen();
      return recordings.page(page, nowMs());
    },

    onLoss() {
      checkOpen();
      // It is lost with its process only, and every holder with it.
      return () => {};
    },

    async close() {
      closed = true;
      watches.clear();
    },
  };
}

/** Unlike `Date.now()` it is not set back when the machine's clock is corrected. */
function monotonicUnixUs(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000);
}
