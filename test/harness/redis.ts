import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { RedisAddress } from '../../adapters/registry/redis/target.ts';
import { eventually } from './condition.ts';

const HOST = '127.0.0.1';

/** A real Redis server or Sentinel, in a process and a folder of its own. */
export interface RedisProcess {
  readonly address: RedisAddress;
  readonly pid: number;
  /** What `command` logs in with. */
  password: string | undefined;
  /** Runs one command on it, over a connection of its own. */
  command(...words: readonly string[]): Promise<unknown>;
  /** Ends it at once, as a crash does. What it has on disk stays for the next `start`. */
  kill(): Promise<void>;
  /** Starts it again, on the same port, unless it runs. */
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
  /** Ends it, and deletes its folder. */
  stop(): Promise<void>;
}

/** Its options as redis.conf names them, those that may come several times as lists. Without more nothing is saved. */
export type RedisConfig = Readonly<Record<string, string | readonly string[]>>;

export async function startRedis(config: RedisConfig = {}): Promise<RedisProcess> {
  const redis = prepare({ save: '""', appendonly: 'no', ...config }, await freePort());
  await redis.start();
  return redis;
}

/** A master, its replicas, and Sentinels that call them `millrace`. They replace a master that is gone for 500 ms. */
export async function startSentinels(replicas = 1, sentinels = 3) {
  const master = await startRedis();
  const { host, port } = master.address;
  const followers = await several(replicas, () => startRedis({ replicaof: `${host} ${port}` }));
  const watchers = await several(sentinels, async () => {
    const sentinel = prepare(
      {
        sentinel: [
          `monitor millrace ${host} ${port} ${Math.floor(sentinels / 2) + 1}`,
          'down-after-milliseconds millrace 500',
          'failover-timeout millrace 3000',
        ],
      },
      await freePort(),
      '--sentinel',
    );
    await sentinel.start();
    return sentinel;
  });
  await eventually('Sentinels that know each other and the replicas', async () => {
    for (const sentinel of watchers) {
      const facts = pairs((await sentinel.command('SENTINEL', 'MASTER', 'millrace')) as string[]);
      if (facts['num-other-sentinels'] !== String(sentinels - 1)) return false;
      if (facts['num-slaves'] !== String(replicas)) return false;
    }
    return true;
  });
  return {
    master,
    replicas: followers,
    sentinels: watchers,
    stop: stopAll(master, ...followers, ...watchers),
  };
}

/** Three masters that share all slots, each with so many replicas. A node that is gone for a second is replaced. */
export async function startCluster(replicas = 0) {
  const nodes = await several(3 * (1 + replicas), async () =>
    startRedis({
      'cluster-enabled': 'yes',
      'cluster-node-timeout': '1000',
      'cluster-port': String(await freePort()),
    }),
  );
  const addresses = nodes.map(({ address: { host, port } }) => `${host}:${port}`);
  const joined = spawn(
    'redis-cli',
    ['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes'],
    { stdio: 'ignore' },
  );
  const [code] = await once(joined, 'exit');
  if (code !== 0) throw new Error(`redis-cli --cluster create ended with ${code}`);
  await eventually('a complete cluster', async () => {
    for (const node of nodes) {
      const info = String(await node.command('CLUSTER', 'INFO'));
      if (!info.includes('cluster_state:ok') || !info.includes(`cluster_known_nodes:${nodes.length}`))
        return false;
    }
    return true;
  });
  return { nodes, stop: stopAll(...nodes) };
}

function prepare(config: RedisConfig, port: number, ...modes: readonly '--sentinel'[]): RedisProcess {
  const address = { host: HOST, port };
  const folder = mkdtempSync(join(tmpdir(), 'millrace-redis-'));
  const file = join(folder, 'redis.conf');
  const lines = Object.entries({ bind: HOST, port: String(port), dir: folder, ...config }).flatMap(
    ([name, values]) => [values].flat().map((value) => `${name} ${value}`),
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
  let child: ChildProcess | undefined;
  const endWithTest = () => child?.kill('SIGKILL');
  process.once('exit', endWithTest);

  async function command(...[name = '', ...words]: readonly string[]): Promise<unknown> {
    const client = new Redis({
      ...address,
      ...(redis.password === undefined ? {} : { password: redis.password }),
      lazyConnect: true,
      retryStrategy: null,
      enableReadyCheck: false,
      commandTimeout: 10_000,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.call(name, ...words);
    } finally {
      client.disconnect();
    }
  }

  async function kill(): Promise<void> {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGKILL');
    await ended;
  }

  const redis: RedisProcess = {
    address,
    password: typeof config.requirepass === 'string' ? config.requirepass : undefined,
    get pid() {
      return child?.pid ?? -1;
    },
    command,
    kill,
    async start() {
      if (child !== undefined) return;
      const started = spawn('redis-server', [file, ...modes], { stdio: 'ignore' });
      child = started;
      await eventually(
        `Redis on port ${port}`,
        async () => {
          if (started.exitCode !== null) throw new Error(`it ended with ${started.exitCode}`);
          return (await command('PING')) === 'PONG';
        },
        { everyMs: 20, timeoutMs: 10_000 },
      );
    },
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    async stop() {
      await kill();
      process.off('exit', endWithTest);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return redis;
}

/** One after the other: they start in milliseconds. */
async function several<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) made.push(await make());
  return made;
}

function stopAll(...processes: readonly RedisProcess[]): () => Promise<void> {
  return async () => {
    await Promise.all(processes.map((process) => process.stop()));
  };
}

function pairs(list: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (let index = 0; index + 1 < list.length; index += 2) found[list[index] ?? ''] = list[index + 1] ?? '';
  return found;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
