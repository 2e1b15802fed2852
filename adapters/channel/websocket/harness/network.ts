import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A network between two ends, on loopback, which can be cut and stopped. */
export interface Network {
  readonly address: string;
  /** Leads new connections to another address. */
  leadTo(address: string): void;
  /** Nothing gets through from now on, and nobody is told; new connections are taken and lead nowhere. */
  stall(): void;
  /** Every connection breaks, at both ends. */
  reset(): void;
  /** Every connection breaks at the end that dialled; the other is not told. */
  resetNear(): void;
  /** Nobody listens any more. */
  close(): void;
}

export async function startNetwork(context: TestContext, address: string): Promise<Network> {
  const pairs = new Set<{ readonly near: Socket; readonly far: Socket }>();
  let port = Number(new URL(address).port);
  let stalled = false;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const pair = { near, far };
    pairs.add(pair);
    let told = true;
    for (const socket of [near, far]) socket.on('error', () => {});
    near.on('close', () => told && far.destroy());
    far.on('close', () => near.destroy());
    near.on('abandon', () => {
      told = false;
    });
    if (stalled) return;
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const all = () => [...pairs].flatMap(({ near, far }) => [near, far]);
  context.after(() => {
    for (const socket of all()) socket.destroy();
    server.close();
  });
  return {
    address: `ws://127.0.0.1:${(server.address() as { port: number }).port}`,
    leadTo(other) {
      port = Number(new URL(other).port);
    },
    stall() {
      stalled = true;
      for (const socket of all()) socket.pause().unpipe();
    },
    reset() {
      for (const socket of all()) socket.resetAndDestroy();
    },
    resetNear() {
      for (const { near } of pairs) {
        near.emit('abandon');
        near.resetAndDestroy();
      }
    },
    close: () => void server.close(),
  };
}
