import type { Population, Remains } from './probe.ts';

const PROBE = new URL('probe.ts', import.meta.url).pathname;
let nextPort = 39_000;

/** Environment that puts the probe into a Node process, and the way to ask it. */
export function probed(): {
  readonly env: { readonly NODE_OPTIONS: string; readonly BENCH_PROBE_PORT: string };
  readonly remains: () => Promise<Remains>;
  readonly population: () => Promise<Population>;
} {
  const port = nextPort++;
  const ask = async (path: string): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${port}${path}`)).json();
  return {
    env: { NODE_OPTIONS: `--import=${PROBE}`, BENCH_PROBE_PORT: String(port) },
    remains: async () => (await ask('/')) as Remains,
    population: async () => (await ask('/population')) as Population,
  };
}
