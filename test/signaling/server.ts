import type { TestContext } from 'node:test';
import { type DestinationStream, pino } from 'pino';
import { Registry as MetricsRegistry } from 'prom-client';
import { createMemoryRegistry } from '../../adapters/registry/memory/memory.ts';
import { type Authoriser, openAuthoriser } from '../../core/auth/index.ts';
import { MillraceError } from '../../core/protocol/index.ts';
import type { Registry } from '../../core/registry/registry.ts';
import {
  type Assets,
  createSignaling,
  SIGNALING_DEFAULTS,
  type Signaling,
  type SignalingDeps,
  type SignalingLimits,
  type SignalingSettings,
} from '../../signaling/index.ts';
import { TestClient } from './client.ts';
import { FakeMediaServer } from './fake-media-server.ts';

export interface TestServer {
  readonly signaling: Signaling;
  readonly registry: FlakyRegistry;
  readonly media: FakeMediaServer;
  readonly metrics: MetricsRegistry;
  /** Log records, oldest first. */
  readonly logs: Record<string, unknown>[];
  readonly url: string;
  readonly http: string;
  connect(query?: string, options?: Parameters<typeof TestClient.connect>[1]): Promise<TestClient>;
}

export type TestSettings = Omit<Partial<SignalingSettings>, 'limits'> & {
  readonly limits?: Partial<SignalingLimits>;
};

export interface TestDeps {
  readonly registry?: FlakyRegistry;
  readonly media?: FakeMediaServer;
  readonly authoriser?: Authoriser;
  readonly assets?: Assets;
  readonly recordings?: SignalingDeps['recordings'];
  readonly webhooks?: SignalingDeps['webhooks'];
}

/** Signaling on a free port of loopback with the real memory registry; it is closed when the test ends. */
export async function startServer(
  test: TestContext,
  { limits, ...settings }: TestSettings = {},
  deps: TestDeps = {},
): Promise<TestServer> {
  const registry = deps.registry ?? flaky(createMemoryRegistry());
  const media = deps.media ?? (await FakeMediaServer.start(registry));
  const metrics = new MetricsRegistry();
  const logs: Record<string, unknown>[] = [];
  const destination: DestinationStream = { write: (line) => logs.push(JSON.parse(line)) };
  const signaling = createSignaling(
    {
      ...SIGNALING_DEFAULTS,
      name: 'signaling-1',
      listeners: [{ host: '127.0.0.1', port: 0 }],
      ...settings,
      limits: { ...SIGNALING_DEFAULTS.limits, ...limits },
    },
    {
      registry,
      mediaChannel: () => media.connect(),
      authoriser: deps.authoriser ?? openAuthoriser,
      log: pino({ level: 'debug' }, destination),
      metrics,
      ...(deps.assets && { assets: deps.assets }),
      ...(deps.recordings && { recordings: deps.recordings }),
      ...(deps.webhooks && { webhooks: deps.webhooks }),
    },
  );
  test.after(async () => {
    await signaling.close();
    media.stop();
  });
  await signaling.start();
  const secure = settings.listeners?.[0]?.tls !== undefined;
  const address = `127.0.0.1:${signaling.ports[0]}`;
  const url = `${secure ? 'wss' : 'ws'}://${address}/`;
  return {
    signaling,
    registry,
    media,
    metrics,
    logs,
    url,
    http: `${secure ? 'https' : 'http'}://${address}`,
    connect: (query = '', options = {}) => TestClient.connect(url + query, options),
  };
}

/** A registry that can be out of reach for a while. */
export interface FlakyRegistry extends Registry {
  away: boolean;
}

const SYNCHRONOUS: readonly string[] = ['watchStream', 'onLoss'];

export function flaky(registry: Registry): FlakyRegistry {
  return new Proxy(registry as FlakyRegistry, {
    get(target, property: keyof FlakyRegistry) {
      const value = target[property];
      if (typeof value !== 'function' || SYNCHRONOUS.includes(property) || property === 'close') return value;
      return async (...given: never[]) => {
        if (target.away) throw new MillraceError('registry_unavailable', 'the registry is away');
        return (value as (...given: never[]) => unknown)(...given);
      };
    },
  });
}
