import type { Logger } from 'pino';
import { MillraceError } from '../../../core/protocol/error.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import { hasEnded, NO_PROGRESS } from '../../../core/recording/progress.ts';
import { compareByCodePoint } from '../../../core/registry/order.ts';
import type { NodeEntry, NodeId, NodeRecord } from '../../../core/registry/record.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import { type Answer, Calls } from './calls.ts';
import { connect, connectOnce, ownerOf } from './connection.ts';
import { hashSlot } from './hash-slot.ts';
import { hashTag, SLOT_NAMES, type Slot } from './keys.ts';
import { Pulse } from './pulse.ts';
import { unavailable } from './reach.ts';
import { readRecording, writeSpec } from './recording-value.ts';
import { readSession, writeSession } from './session-value.ts';
import { Shared } from './shared.ts';
import { readStream, writeClaim, writeNode } from './stream-value.ts';
import { Subscriber } from './subscriber.ts';
import { type RedisTarget, targetText } from './target.ts';
import { CUT_OFF, troubleOf } from './trouble.ts';
import { Watches } from './watches.ts';

export interface RedisRegistryOptions {
  readonly target: RedisTarget;
  /** Begins every key, so that several clusters can share one Redis. */
  readonly prefix: string;
  readonly log: Logger;
  /** How long a call may take. The registry's contract says less than a second; tests of anything else have time. */
  readonly callTimeoutMs?: number;
}

const CALL_TIMEOUT_MS = 900;

/**
 * The registry that a cluster shares. It connects by itself and again and again; what is called before that,
 * or while Redis is away, fails with `registry_unavailable`. README.md tells what is kept there, and how.
 */
export function createRedisRegistry({
  target,
  prefix,
  log: parent,
  callTimeoutMs = CALL_TIMEOUT_MS,
}: RedisRegistryOptions): Registry {
  const log = parent.child({ redis: targetText(target) });
  const client = connect(target, `${prefix}-registry`);
  const pulses = new Map<Slot, Pulse>();
  const lossListeners = new Map(SLOT_NAMES.map((slot) => [slot, new Set<() => void>()]));
  const calls = new Calls({
    client,
    prefix,
    slots: SLOT_NAMES,
    onBirth: (slot, birth) => pulses.get(slot)?.notice(birth),
    timeoutMs: callTimeoutMs,
    log,
  });
  const streamsSlot = hashSlot(hashTag('streams', prefix));
  const watches = new Watches({
    prefix,
    calls,
    subscriber: (tells) =>
      new Subscriber({
        ...tells,
        open: () => connectOnce(client, target, streamsSlot, `${prefix}-watches`),
        isCurrent: ({ options: { host, port } }) =>
          target.kind !== 'cluster' || ownerOf(client, streamsSlot) === `${host}:${port}`,
      }),
  });

  client.on('error', (error: Error) => {
    for (const slot of SLOT_NAMES) calls.reach(slot).failed(troubleOf(error));
  });
  client.on('close', () => {
    for (const slot of SLOT_NAMES) calls.reach(slot).failed(CUT_OFF);
  });
  for (const slot of SLOT_NAMES) {
    const pulse = new Pulse({
      client,
      calls,
      slot,
      hashSlot: hashSlot(hashTag(slot, prefix)),
      onBeat: (complete) => {
        if (slot === 'streams') watches.beat(complete);
      },
      onLoss: () => {
        if (slot === 'streams') watches.renewAll();
        for (const listener of lossListeners.get(slot) ?? []) queueMicrotask(listener);
      },
    });
    pulses.set(slot, pulse);
    pulse.start();
  }
  let closed = false;

  const nodes = new Shared(async () => {
    const [, listed] = complete(await calls.run('list-nodes', []));
    return readNodes(listed as readonly string[]);
  });

  async function removeNode(id: NodeId): Promise<void> {
    while ((await calls.run('remove-node', [writeNode(id)]))[0] === 'more');
  }

  return {
    async announceNode(node) {
      const [outcome] = await calls.run('announce-node', [writeNode(node.id), JSON.stringify(node)]);
      return outcome === 'announced';
    },
    async nodes() {
      return [...(await nodes.ask())];
    },
    withdrawNode: removeNode,
    fenceNode: removeNode,
    async reportDeadNode(id, observer) {
      const [outcome] = await calls.run('report-dead-node', [writeNode(id), JSON.stringify(observer)]);
      if (outcome === 'more') await removeNode(id);
      return outcome === 'gone' || outcome === 'more';
    },

    async claimStream(claim) {
      const { name, node, displaces } = claim;
      const args = [name, writeNode(node), writeClaim(claim), displaces ?? ''];
      const [outcome, value] = complete(
        await calls.run('claim-stream', args, ([late, epoch]) => {
          // Whoever asked was told that it failed.
          if (late === 'granted') calls.send('release-stream', [name, String(epoch)]).catch(() => {});
        }),
      );
      if (outcome === 'granted') return { granted: true, epoch: Number(value) };
      demandAnnounced(outcome, node);
      return { granted: false, holder: readStream(name, String(value)) };
    },
    async describeStream(name, epoch, tracks) {
      const [outcome] = complete(await calls.run('describe-stream', [name, epoch, JSON.stringify(tracks)]));
      return outcome === 'done';
    },
    async releaseStream(name, epoch) {
      const [outcome] = complete(await calls.run('release-stream', [name, epoch]));
      return outcome === 'done';
    },
    async reannounceStream(stream) {
      const { name, epoch, node, sinceMs, tracks } = stream;
      const args = [name, epoch, writeNode(node), sinceMs, writeClaim(stream), JSON.stringify(tracks)];
      const [outcome] = await calls.run('reannounce-stream', args);
      demandAnnounced(outcome, node);
      return outcome === 'done';
    },
    async findStream(name) {
      const answer = await calls.run('find-streams', [name]);
      const [value] = answer[2] as readonly (string | null)[];
      if (value != null) return readStream(name, value);
      complete(answer);
      return undefined;
    },
    async streams({ node, after, limit }) {
      const args = [node === undefined ? '' : writeNode(node), after ?? '', limit];
      const [, listed] = complete(await calls.run('list-streams', args));
      return pairs(listed as readonly string[]).map(([name, value]) => readStream(name as StreamName, value));
    },
    watchStream(name, listener) {
      calls.demandOpen();
      return watches.add(name, listener);
    },

    async saveSession(session, ttlMs) {
      const [outcome] = await calls.run('save-session', [session.id, ttlMs, ...writeSession(session)]);
      return outcome === 'done';
    },
    async findSession(id) {
      const [outcome, value] = complete(await calls.run('find-session', [id]));
      return outcome === 'found' ? readSession(String(value)) : undefined;
    },
    async takeSession(id, signaling, ttlMs) {
      const args = [id, JSON.stringify(signaling), ttlMs];
      const [outcome, value, from] = complete(await calls.run('take-session', args));
      if (outcome !== 'taken') return undefined;
      return { session: readSession(String(value)), from: JSON.parse(String(from)) as string };
    },
    async deleteSession(id, epoch) {
      const [outcome] = await calls.run('delete-session', [id, epoch]);
      return outcome === 'done';
    },
    async sessions({ after, limit }) {
      const from = after === undefined ? '-' : `(${after}`;
      const [, listed] = complete(await calls.run('list-sessions', [from, limit]));
      return (listed as readonly string[]).map(readSession);
    },

    async enterRecording(spec, host) {
      const args = [spec.id, JSON.stringify(host), ...writeSpec(spec), JSON.stringify(NO_PROGRESS)];
      const [outcome, , value] = complete(await calls.run('enter-recording', args));
      const record = readRecording(String(value));
      return outcome === 'entered' ? { entered: true, record } : { entered: false, holder: record };
    },
    async takeRecording({ id, host, seen, stored = 0, gone }) {
      const args = [id, JSON.stringify(host), seen, stored, gone === undefined ? '' : JSON.stringify(gone)];
      const [outcome, value] = complete(await calls.run('take-recording', args));
      return outcome === 'taken' ? readRecording(String(value)) : undefined;
    },
    async saveRecording(id, attempt, progress) {
      const args = [id, attempt, JSON.stringify(progress), hasEnded(progress) ? 'ended' : ''];
      const [outcome] = complete(await calls.run('save-recording', args));
      return outcome === 'done';
    },
    async grantFinish(id, attempt) {
      const [outcome] = complete(await calls.run('grant-finish', [id, attempt]));
      return outcome === 'granted';
    },
    async reannounceRecording({ host, attempt, progress, saidAtMs: _, ...spec }) {
      const ended = hasEnded(progress) ? 'ended' : '';
      const args = [spec.id, JSON.stringify(host), attempt, ended, ...writeSpec(spec)];
      const [outcome] = await calls.run('reannounce-recording', [...args, JSON.stringify(progress)]);
      return outcome === 'done';
    },
    async leaseSweep(host) {
      const [outcome] = await calls.run('lease-sweep', [JSON.stringify(host)]);
      return outcome === 'granted';
    },
    async forgetRecording(id, attempt) {
      const [outcome] = complete(await calls.run('forget-recording', [id, attempt]));
      return outcome === 'done';
    },
    async findRecording(id) {
      const [outcome, value] = complete(await calls.run('find-recording', [id]));
      return outcome === 'found' ? readRecording(String(value)) : undefined;
    },
    async recordings({ after, limit, stream }) {
      const ofStream = stream === undefined ? '' : JSON.stringify(stream);
      const [, listed] = complete(await calls.run('list-recordings', [ofStream, after ?? '', limit]));
      return (listed as readonly string[]).map(readRecording);
    },

    onLoss(part, listener) {
      calls.demandOpen();
      // Each in an entry of its own, should it listen twice.
      const entry = () => listener();
      lossListeners.get(part)?.add(entry);
      return () => lossListeners.get(part)?.delete(entry);
    },

    async close() {
      if (closed) return;
      closed = true;
      calls.close();
      for (const listeners of lossListeners.values()) listeners.clear();
      watches.close();
      for (const pulse of pulses.values()) pulse.stop();
      client.disconnect();
    },
  };
}

/** @throws MillraceError `registry_unavailable` when the registry is being told what it lost */
function complete(answer: Answer): Answer {
  if (answer[0] !== 'recovering') return answer;
  throw unavailable({
    kind: 'refuses',
    text: 'came back a moment ago, and is being told what there is',
  });
}

function demandAnnounced(outcome: string, node: NodeId): void {
  if (outcome !== 'no_media_server') return;
  throw new MillraceError('no_media_server', `media server "${node}" is not announced; try again`);
}

function readNodes(listed: readonly string[]): NodeEntry[] {
  return pairs(listed)
    .map(([record, lapsed]) => ({ ...(JSON.parse(record) as NodeRecord), suspect: lapsed === 'suspect' }))
    .sort((a, b) => compareByCodePoint(a.id, b.id));
}

function pairs(list: readonly string[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, index) => [
    list[2 * index] ?? '',
    list[2 * index + 1] ?? '',
  ]);
}
