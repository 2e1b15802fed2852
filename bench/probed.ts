import type { Remains } from './probe.ts';

const PROBE = new URL('probe.ts', import.meta.url).pathname;
let nextPort = 39_000;

/** Environment that puts the probe into a Node process, and the way to ask it. */
export function probed(): {
  readonly env: { readonly NODE_OPTIONS: string; readonly BENCH_PROBE_PORT: string };
  readonly remains: () => Promise<Remains>;
} {
  const port = nextPort++;
  return {
    env: { NODE_OPTIONS: `--import=${PROBE}`, BENCH_PROBE_PORT: String(port) },
    remains: async () => (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as Remains,
  };
}
