import { once } from 'node:events';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';
import type { RedisAddress } from '../../../adapters/registry/redis/target.ts';

/** A way to a Redis that can be made slow, or dead without a word. */
export interface SlowProxy {
  readonly address: RedisAddress;
  /** What passes from now on arrives so much later, each way. */
  delayMs: number;
  /** Where new connections lead from now on. */
  target: RedisAddress;
  /** Connections that are open now pass nothing any more, and stay open; new ones are as good as ever. */
  stall(): void;
  stop(): Promise<void>;
}

export async function startSlowProxy(target: RedisAddress): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
  const stalled = new WeakSet<Socket>();
  const server = createServer((near) => {
    const far = tcpConnect(proxy.target.port, proxy.target.host);
    pass(near, far);
    pass(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const proxy: SlowProxy = {
    address: { host: '127.0.0.1', port },
    delayMs: 0,
    target,
    stall() {
      for (const socket of sockets) stalled.add(socket);
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };

  function pass(from: Socket, to: Socket): void {
    const queue: { readonly data: Buffer; readonly dueAtMs: number }[] = [];
    let timer: NodeJS.Timeout | undefined;
    const flush = () => {
      timer = undefined;
      for (let [next] = queue; next !== undefined; [next] = queue) {
        const waitMs = next.dueAtMs - performance.now();
        if (waitMs > 0) {
          timer = setTimeout(flush, waitMs);
          return;
        }
        queue.shift();
        if (!to.destroyed && !stalled.has(from)) to.write(next.data);
      }
    };
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (data) => {
      queue.push({ data, dueAtMs: performance.now() + proxy.delayMs });
      if (timer === undefined) flush();
    });
    from.on('error', () => {});
    from.on('close', () => {
      clearTimeout(timer);
      sockets.delete(from);
      if (!stalled.has(from)) to.destroy();
    });
  }

  return proxy;
}
