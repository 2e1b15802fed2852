import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import { claim, name, node, VIDEO } from '../../../core/registry/conformance-trial.ts';
import type { Registry } from '../../../core/registry/registry.ts';

/** An epoch that was granted, and what became of it as far as its holder was told. */
export interface Grant {
  readonly stream: StreamName;
  readonly node: string;
  readonly epoch: number;
  /** When it was asked for and when it was granted, of one clock. */
  readonly askedAtMs: number;
  readonly grantedAtMs: number;
}

export interface Storm {
  readonly grants: readonly Grant[];
  /** Calls that failed, by the name of their error. */
  readonly failures: ReadonlyMap<string, number>;
  readonly slowestMs: number;
}

/**
 * Processes that claim, displace, describe and release a few streams all at once, until they are told to stop.
 * @param registries one for each process
 */
export async function storm(registries: readonly Registry[], signal: AbortSignal): Promise<Storm> {
  const grants: Grant[] = [];
  const failures = new Map<string, number>();
  let slowestMs = 0;

  async function call<T>(ask: () => Promise<T>): Promise<T | undefined> {
    const startedMs = performance.now();
    try {
      return await ask();
    } catch (error) {
      const { errorName = String(error) } = error as { errorName?: string };
      failures.set(errorName, (failures.get(errorName) ?? 0) + 1);
      await sleep(20);
      return undefined;
    } finally {
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    }
  }

  await Promise.all(
    registries.map(async (registry, index) => {
      const id = `storm-${index}`;
      for (let round = 0; !signal.aborted; round++) {
        const stream = name(`storm ${(round * 7 + index) % 5}`);
        if (round % 10 === 0) await call(() => registry.announceNode(node(id)));
        const held = await call(() => registry.findStream(stream));
        const askedAtMs = performance.now();
        const displaces = held === undefined ? {} : { displaces: held.epoch };
        const result = await call(() => registry.claimStream(claim(stream, id, displaces)));
        if (result?.granted !== true) continue;
        grants.push({ stream, node: id, epoch: result.epoch, askedAtMs, grantedAtMs: performance.now() });
        await call(() => registry.describeStream(stream, result.epoch, [VIDEO]));
        if (round % 3 === 0) await call(() => registry.releaseStream(stream, result.epoch));
      }
    }),
  );
  return { grants, failures, slowestMs };
}

/** Two grants of one stream of which the later one has not got the higher epoch. */
export function disorder(grants: readonly Grant[]): string[] {
  const wrong: string[] = [];
  for (const stream of new Set(grants.map((grant) => grant.stream))) {
    const own = grants.filter((grant) => grant.stream === stream);
    const granted = own.toSorted((a, b) => a.grantedAtMs - b.grantedAtMs);
    if (new Set(own.map(({ epoch }) => epoch)).size < own.length) wrong.push(`an epoch of "${stream}" twice`);
    let highest = 0;
    let next = 0;
    for (const later of own.toSorted((a, b) => a.askedAtMs - b.askedAtMs)) {
      // Of those that were under way at the same time either may have been first.
      for (; (granted[next]?.grantedAtMs ?? Number.POSITIVE_INFINITY) < later.askedAtMs; next++) {
        highest = Math.max(highest, granted[next]?.epoch ?? 0);
      }
      if (later.epoch <= highest) wrong.push(`epoch ${later.epoch} of "${stream}" after ${highest}`);
    }
  }
  return wrong;
}
