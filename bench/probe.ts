// Loaded into a server under test by NODE_OPTIONS=--import: tells over HTTP, on BENCH_PROBE_PORT, what only
// the process itself can know, once all garbage is collected.
import { createServer } from 'node:http';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { observer } from 'mediasoup';
import type { Router, WebRtcServer, Worker } from 'mediasoup/types';
import { PeerTransport } from '../media-server/peer-transport.ts';
import { Play } from '../media-server/play.ts';
import { Publication } from '../media-server/publication.ts';
import { Stream } from '../media-server/stream.ts';
import { Connection } from '../signaling/connection.ts';
import { Session } from '../signaling/session.ts';

/** What is left in a process. Workers' objects are by what they say themselves; without the roles, there are none. */
export interface Remains {
  readonly heapBytes: number;
  readonly worker: Readonly<Record<string, number>>;
}

/** How many objects of the server's main classes are alive. */
export type Population = Readonly<Record<string, number>>;

const CLASSES = { Connection, Session, Stream, Publication, Play, PeerTransport };

setFlagsFromString('--expose-gc');
type CollectGarbage = (options: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;
const gc: CollectGarbage = runInNewContext('gc');
/** All of it: compiled code that has not run for a while, and what caches hold weakly, too. */
const collectGarbage = () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
const workers = new Set<Worker>();
const routers = new Set<Router>();
const webRtcServers = new Set<WebRtcServer>();
observer.on('newworker', (worker) => {
  keepWhileOpen(workers, worker);
  worker.observer.on('newrouter', (router) => keepWhileOpen(routers, router));
  worker.observer.on('newwebrtcserver', (server) => keepWhileOpen(webRtcServers, server));
});

function keepWhileOpen<T extends Worker | Router | WebRtcServer>(all: Set<T>, one: T): void {
  all.add(one);
  (one.observer as { once(event: 'close', listener: () => void): unknown }).once('close', () =>
    all.delete(one),
  );
}

createServer(async (request, response) => {
  response.end(JSON.stringify(request.url === '/population' ? population() : await remains()));
})
  .listen(Number(process.env.BENCH_PROBE_PORT), '127.0.0.1')
  .unref();

async function remains(): Promise<Remains> {
  collectGarbage();
  // What was only just let go of is freed by the second.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  return {
    heapBytes: process.memoryUsage().heapUsed,
    worker: await workerObjects(),
  };
}

/** Takes seconds: V8 walks its whole heap for each class. */
function population(): Population {
  const counts = Object.entries(CLASSES).map(([name, Class]) => [
    name,
    queryObjects(Class as unknown as new () => unknown, { format: 'count' }),
  ]);
  return Object.fromEntries(counts);
}

async function workerObjects(): Promise<Record<string, number>> {
  const handlers = await Promise.all([...workers].map((worker) => worker.dump()));
  const inRouters = await Promise.all([...routers].map((router) => router.dump()));
  const inServers = await Promise.all([...webRtcServers].map((server) => server.dump()));
  const sum = <T>(dumps: readonly T[], count: (dump: T) => number) =>
    dumps.reduce((total, dump) => total + count(dump), 0);
  return {
    requestHandlers: sum(handlers, (dump) => dump.channelMessageHandlers.channelRequestHandlers.length),
    notificationHandlers: sum(
      handlers,
      (dump) => dump.channelMessageHandlers.channelNotificationHandlers.length,
    ),
    transports: sum(inRouters, ({ transportIds }) => transportIds.length),
    producers: sum(inRouters, (dump) => dump.mapProducerIdConsumerIds.length),
    consumers: sum(inRouters, (dump) => dump.mapConsumerIdProducerId.length),
    iceUserNames: sum(inServers, (dump) => dump.localIceUsernameFragments.length),
  };
}
