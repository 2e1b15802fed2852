import { Counter, Gauge, type Registry } from 'prom-client';
import type { EdgeCount } from './edge.ts';
import type { Edges } from './edges.ts';
import { Meter, type Traffic } from './meter.ts';
import type { Neighbours } from './neighbours.ts';
import type { PipeSet } from './pipe.ts';
import type { PipeCount } from './pipe-service.ts';
import { udpDrops } from './udp-drops.ts';
import type { WorkerPool } from './worker-pool.ts';

/** What the metrics are read from, whenever they are asked for. */
export interface MetricSources {
  readonly pool: WorkerPool;
  readonly pipes: PipeSet;
  readonly streams: () => number;
  readonly viewers: () => number;
  readonly draining: () => boolean;
  /** What other processes hold. */
  readonly outside: PipeCount;
  readonly traffic: Traffic;
  readonly neighbours: Pick<Neighbours, 'pipes'>;
  readonly edges: Pick<Edges, 'size' | 'viewers'>;
  readonly edgeCount: EdgeCount;
}

/** Metrics of a media server. None has a stream's, session's or node's name: their number must stay bounded. */
export function registerMetrics(registry: Registry, sources: MetricSources): void {
  const { pool, pipes, outside, traffic, neighbours, edges, edgeCount } = sources;
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  /** A total that is counted elsewhere. */
  const counter = (name: string, help: string, read: () => number) => {
    const meter = new Meter();
    return new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.inc(meter.growth('', read()));
      },
    });
  };
  /** Totals of each worker; a process that replaces a dead one counts from 0, which the meter knows by its pid. */
  const workerCounter = (
    name: string,
    help: string,
    read: () => Promise<readonly { readonly worker: number; readonly pid: number; readonly total: number }[]>,
  ) => {
    const meter = new Meter();
    return new Counter({
      name,
      help,
      labelNames: ['worker'],
      registers: [registry],
      async collect() {
        for (const { worker, pid, total } of await read())
          this.inc({ worker }, meter.growth(`${pid}`, total));
      },
    });
  };

  gauge('millrace_streams', 'Streams published on this node.', sources.streams);
  gauge('millrace_viewers', 'Plays of streams on this node.', sources.viewers);
  gauge('millrace_draining', '1 while this node moves all it has elsewhere.', () =>
    Number(sources.draining()),
  );
  gauge('millrace_workers', 'Media workers that are alive.', () => pool.workers.length);
  gauge('millrace_pipes', 'Pipes between workers of this node.', () => pipes.size);
  gauge(
    'millrace_outside_pipes',
    'Pipes to other processes: media servers and recorders.',
    () => outside.pipes,
  );
  gauge('millrace_pulls', 'Streams sent into pipes to other processes, once for each.', () => outside.pulls);
  gauge(
    'millrace_neighbour_pipes',
    'Pipes by which this node pulls streams from other media servers.',
    () => neighbours.pipes,
  );
  gauge('millrace_edge_streams', 'Streams pulled from other media servers.', () => edges.size);
  gauge('millrace_edge_viewers', 'Plays of those streams, among all plays.', () => edges.viewers);
  counter(
    'millrace_edge_pulls_total',
    'Pulls from other media servers that brought a stream.',
    () => edgeCount.pulls,
  );
  counter(
    'millrace_edge_pull_failures_total',
    'Streams that could not be pulled from another media server.',
    () => edgeCount.failures,
  );
  counter(
    'millrace_edge_pull_renewals_total',
    'Pulls begun in place of another, which was lost or has a newer generation.',
    () => edgeCount.renewals,
  );
  counter(
    'millrace_edge_received_bytes_total',
    'RTP received from other media servers, sampled every few seconds.',
    () => edgeCount.received.bytes,
  );
  counter(
    'millrace_rtp_received_bytes_total',
    'RTP received from publishers, sampled every few seconds.',
    () => traffic.receivedBytes,
  );
  counter(
    'millrace_rtp_received_packets_total',
    'RTP packets received from publishers, sampled every few seconds.',
    () => traffic.receivedPackets,
  );
  counter(
    'millrace_rtp_sent_bytes_total',
    'RTP sent to viewers, sampled every few seconds.',
    () => traffic.sentBytes,
  );
  counter(
    'millrace_rtp_sent_packets_total',
    'RTP packets sent to viewers, sampled every few seconds.',
    () => traffic.sentPackets,
  );
  workerCounter('millrace_worker_cpu_seconds_total', 'CPU time of media workers.', async () =>
    pool.workers.map(({ index, pid, cpuSeconds }) => ({ worker: index, pid, total: cpuSeconds })),
  );
  workerCounter('millrace_worker_deaths_total', 'Media workers that died or hung.', async () =>
    pool.deaths.map((total, index) => ({ worker: index, pid: index, total })),
  );
  workerCounter(
    'millrace_worker_udp_dropped_packets_total',
    'Packets that the kernel dropped because a media socket was full.',
    async () => {
      const drops = await udpDrops(new Set(pool.workers.flatMap(({ udpPorts }) => [...udpPorts])));
      return pool.workers.map(({ index, pid, udpPorts }) => ({
        worker: index,
        pid,
        total: [...udpPorts].reduce((sum, port) => sum + (drops.get(port) ?? 0), 0),
      }));
    },
  );
}
