import { after } from 'node:test';
import { pino } from 'pino';
import type { Browser } from 'puppeteer-core';
import { createRedisRegistry } from '../../../adapters/registry/redis/redis.ts';
import type { StreamName } from '../../../core/protocol/index.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import { launchBrowser } from '../../harness/browser.ts';
import { eventually } from '../../harness/condition.ts';
import { type DocumentClientPage, openDocumentClient } from '../../harness/page.ts';
import { type RedisProcess, startRedis } from '../../harness/redis.ts';
import { type SlowProxy, startSlowProxy } from '../../registry/harness/slow-proxy.ts';
import { type Role, startRole } from './role.ts';

export interface SignalingRole extends Role {
  readonly httpUrl: string;
  readonly wsUrl: string;
}

export interface MediaRole extends Role {
  readonly node: string;
  /** Where its channel listens. */
  readonly channelPort: number;
}

// Below the ports that a media server takes for media and pipes, which are below those of outgoing connections.
let nextPort = 4000 + (process.pid % 390) * 40;
const SECRET = { MILLRACE_CHANNEL_SECRET: 'what the processes of this cluster share' };

/** Signaling and media servers as processes of their own, with a real Redis; all end with the test file. */
export class Cluster {
  readonly redis: RedisProcess;
  /** By which the processes reach Redis. */
  readonly way: SlowProxy;
  /** As another process sees it. */
  readonly registry: Registry;
  readonly signaling: SignalingRole[] = [];
  readonly media: MediaRole[] = [];
  readonly #settings: Readonly<Record<string, string>>;
  #browser: Promise<Browser> | undefined;

  private constructor(redis: RedisProcess, way: SlowProxy, settings: Readonly<Record<string, string>>) {
    this.redis = redis;
    this.way = way;
    this.registry = createRedisRegistry({
      target: { kind: 'single', address: redis.address, db: 0 },
      prefix: 'millrace',
      log: pino({ level: 'silent' }),
    });
    this.#settings = settings;
  }

  /** Call at the top of a test file. @param settings MILLRACE_* variables for all, with what lets them in to each other */
  static async start(
    { signaling, media }: { readonly signaling: number; readonly media: number },
    settings: Readonly<Record<string, string>> = SECRET,
  ): Promise<Cluster> {
    const redis = await startRedis();
    const cluster = new Cluster(redis, await startSlowProxy(redis.address), settings);
    after(() => cluster.#stop());
    for (let i = 0; i < media; i++) await cluster.addMedia();
    for (let i = 0; i < signaling; i++) await cluster.addSignaling();
    // A Redis that is new gives no names away before holders have had time to tell what they have.
    await eventually('a registry that gives names away', async () => {
      await cluster.registry.findStream('nobody' as StreamName);
      return true;
    });
    return cluster;
  }

  /** One of the signaling processes that it was started with. */
  front(index: number): SignalingRole {
    const role = this.signaling[index];
    if (role === undefined) throw new Error(`there is no signaling process ${index}`);
    return role;
  }

  async addMedia(settings: Readonly<Record<string, string>> = {}): Promise<MediaRole> {
    const [metrics, rtc, channelPort] = takePorts();
    const role = await startRole('media-server', {
      ...this.#shared(),
      MILLRACE_METRICS_LISTEN: `127.0.0.1:${metrics}`,
      MILLRACE_CHANNEL_LISTEN: `127.0.0.1:${channelPort}`,
      MILLRACE_RTC_PORT: String(rtc),
      MILLRACE_WORKERS: '1',
      ...settings,
    });
    const node = { ...role, node: String(role.ready.node), channelPort };
    this.media.push(node);
    await eventually('its announcement', async () =>
      (await this.registry.nodes()).some(({ id }) => id === node.node),
    );
    return node;
  }

  async addSignaling(settings: Readonly<Record<string, string>> = {}): Promise<SignalingRole> {
    const [metrics, https, http] = takePorts();
    const role = await startRole('signaling', {
      ...this.#shared(),
      MILLRACE_METRICS_LISTEN: `127.0.0.1:${metrics}`,
      MILLRACE_LISTEN: `127.0.0.1:${https}`,
      MILLRACE_LOCAL_LISTEN: `127.0.0.1:${http}`,
      ...settings,
    });
    const front = { ...role, httpUrl: `http://localhost:${http}`, wsUrl: `ws://localhost:${http}` };
    this.signaling.push(front);
    return front;
  }

  /** A page with a session of its own at one of the signaling processes. */
  async open({ httpUrl, wsUrl }: SignalingRole, query = ''): Promise<DocumentClientPage> {
    this.#browser ??= launchBrowser('chromium');
    const client = await openDocumentClient(await this.#browser, httpUrl);
    await client.connect(`${wsUrl}/${query}`);
    return client;
  }

  /** The media server that the registry says a stream is on. */
  async holderOf(stream: string): Promise<MediaRole | undefined> {
    const record = await this.registry.findStream(stream as StreamName);
    return this.media.find(({ node }) => node === record?.node);
  }

  #shared(): Readonly<Record<string, string>> {
    const { host, port } = this.way.address;
    return {
      MILLRACE_REDIS: `redis://${host}:${port}`,
      MILLRACE_RECORDINGS: 'off',
      ...this.#settings,
    };
  }

  async #stop(): Promise<void> {
    await (await this.#browser)?.close();
    await Promise.all([...this.signaling, ...this.media].map((role) => role.kill()));
    await this.registry.close();
    await this.way.stop();
    await this.redis.stop();
  }
}

function takePorts(): readonly [number, number, number] {
  const first = nextPort;
  nextPort += 3;
  return [first, first + 1, first + 2];
}
