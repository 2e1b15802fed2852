import { quantile } from './measure/statistics.ts';
import { Simulation, type Strategy, spread } from './placement/simulation.ts';
import type { Bench, Report } from './report.ts';

const NODES = 1000;
const STREAMS = 100_000;
const SIGNALING = 16;
/** A node carries 200 of them, so that with all of them nodes are half full on average. */
const MEAN_COST = 0.005;
const BURST = 1000;
const NEW_NODES = 10;
const MAX_UNEVENNESS = 1.5;
const MAX_DECISION_MS = 1;

interface Outcome {
  readonly scene: string;
  readonly strategy: string;
  /** The worst node's load to the mean one's. */
  readonly unevenness: number;
  readonly worst: number;
  /** Of the joins of a burst: most on one node. */
  readonly most?: number;
  readonly decisionMs?: readonly number[];
}

/**
 * Where 100,000 streams land on 1000 nodes whose announced loads lag, as sixteen signaling processes place them that know
 * nothing of one another; beside one that sees every true load at once, and one that draws by chance.
 */
export const placement: Bench = async ({ short, say }) => {
  const [nodes, streams] = short ? [100, 10_000] : [NODES, STREAMS];
  const outcomes: Outcome[] = [];
  for (const strategy of ['Millrace', 'all-knowing', 'by chance'] as const) {
    outcomes.push(...run(strategy, nodes, streams));
    say(`${strategy}: ${outcomes.length} scenes`);
  }
  return report(outcomes, nodes, streams);
};

function run(name: string, nodeCount: number, streamCount: number): Outcome[] {
  const random = seeded(1);
  const simulation = new Simulation(random);
  for (let index = 0; index < nodeCount; index++) simulation.addNode(1);
  const decide = strategyOf(name, simulation, random);
  const decisionMs: number[] = [];
  const join = (signaling = Math.floor(random() * SIGNALING)) => {
    const startedMs = performance.now();
    const index = decide(simulation.seen, signaling, simulation.nowMs);
    decisionMs.push(performance.now() - startedMs);
    simulation.place(costOf(random), index);
    return index;
  };
  const outcomes: Outcome[] = [];
  const note = (scene: string, more: Partial<Outcome> = {}) => {
    const { loads } = simulation;
    const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
    const worst = Math.max(...loads);
    outcomes.push({ scene, strategy: name, unevenness: worst / mean, worst, ...more });
  };

  const perSecond = streamCount / 200;
  while (simulation.streams < streamCount) {
    for (let each = 0; each < perSecond / 10; each++) join();
    simulation.advance(100);
  }
  note('filled in 200 s', { decisionMs });
  for (let tick = 0; tick < 3000; tick++) {
    for (let each = 0; each < perSecond / 20; each++) {
      simulation.end();
      join();
    }
    simulation.advance(100);
  }
  note('after 300 s in which 3 of 4 ended and others began');
  const burst = (scene: string, signaling?: number) => {
    const counts = new Map<number, number>();
    for (let each = 0; each < BURST; each++) {
      const index = join(signaling);
      counts.set(index, (counts.get(index) ?? 0) + 1);
    }
    note(scene, { most: Math.max(...counts.values()) });
    simulation.advance(10_000);
  };
  burst('1000 joins at one moment, at one signaling process', 0);
  burst('1000 joins at one moment, at sixteen');
  for (let index = 0; index < NEW_NODES; index++) simulation.addNode(1);
  simulation.advance(2000);
  burst('ten empty nodes more, then 1000 joins at one moment, at one', 0);
  burst('1000 more at one moment, at sixteen');
  return outcomes;
}

function strategyOf(name: string, simulation: Simulation, random: () => number): Strategy {
  if (name === 'Millrace') return spread(SIGNALING, random);
  if (name === 'by chance') return (seen) => Math.floor(random() * seen.length);
  return () => {
    const { loads } = simulation;
    return loads.indexOf(Math.min(...loads));
  };
}

/** From a fifth of the mean on, a few of many times that: a stream's viewers and bit rate differ far more than streams' numbers do. */
function costOf(random: () => number): number {
  return MEAN_COST * (0.2 - 0.8 * Math.log(1 - random()));
}

/** Park and Miller's: the same run every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function report(outcomes: readonly Outcome[], nodes: number, streams: number): Report {
  const ours = outcomes.filter(({ strategy }) => strategy === 'Millrace');
  const decisions = ours[0]?.decisionMs ?? [];
  const [p50, p99] = [quantile(decisions, 0.5), quantile(decisions, 0.99)];
  const worst = Math.max(...ours.map(({ unevenness }) => unevenness));
  const fullest = Math.max(...ours.map((outcome) => outcome.worst));
  const times = (value: number) => value.toFixed(2);
  return {
    title: `Placement, simulated: ${streams} streams on ${nodes} nodes`,
    columns: ['scene', 'strategy', 'worst to mean load', 'worst load', 'most of a burst on one node'],
    rows: outcomes.map(({ scene, strategy, unevenness, worst: load, most }) => [
      scene,
      strategy,
      times(unevenness),
      times(load),
      most === undefined ? '' : String(most),
    ]),
    verdicts: [
      {
        what: 'worst to mean load, in every scene',
        measured: times(worst),
        target: `at most ${MAX_UNEVENNESS}`,
        met: worst <= MAX_UNEVENNESS,
      },
      { what: 'the fullest node', measured: times(fullest), target: 'below 1', met: fullest < 1 },
      {
        what: 'a decision, p50 and p99',
        measured: `${(p50 * 1000).toFixed(0)} and ${(p99 * 1000).toFixed(0)} µs`,
        target: `p99 at most ${MAX_DECISION_MS * 1000} µs`,
        met: p99 <= MAX_DECISION_MS,
      },
    ],
    notes: [
      'Loads are announced once a second, each node at its own moment, as the mean since the last announcement, off by up to 5 %.',
      '"all-knowing" sees every true load at every moment; no real system does.',
      'A decision is the choice alone, without asking the registry for the nodes.',
    ],
    data: outcomes.map(({ decisionMs: _, ...outcome }) => outcome),
  };
}
