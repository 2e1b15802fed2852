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
  /** Every connection breaks at the end that was dialled. */
  resetFar(): void;
  /** Nobody listens any more. */
  close(): void;
}

export async function startNetwork(context: TestContext, address: string): Promise<Network> {
  const pairs = new Set<{ readonly near: Socket; readonly far: Socket; told: boolean }>();
  let port = Number(new URL(address).port);
  let stalled = false;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const pair = { near, far, told: true };
    pairs.add(pair);
    for (const socket of [near, far]) socket.on('error', () => {});
    near.on('close', () => pair.told && far.destroy());
    far.on('close', () => pair.told && near.destroy());
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
      for (const pair of pairs) {
        pair.told = false;
        pair.near.resetAndDestroy();
      }
    },
    resetFar() {
      for (const pair of pairs) {
        pair.told = false;
        pair.near.unpipe();
        pair.far.resetAndDestroy();
      }
    },
    close: () => void server.close(),
  };
}
