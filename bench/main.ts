// Runs the measurements one after the other: main.ts [NAME...] [--short] [--save]. `npm run bench` is the
// way to start it: it brings what they need.
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { completion } from './completion.ts';
import { cycles } from './cycles.ts';
import { join } from './join.ts';
import { load, machine } from './measure/machine.ts';
import { children } from './measure/process.ts';
import { table } from './measure/table.ts';
import { pipes } from './pipes.ts';
import { placement } from './placement.ts';
import { recordings } from './recordings.ts';
import type { Bench, Report } from './report.ts';
import { requests } from './requests.ts';
import { sessions } from './sessions.ts';
import { uploads } from './uploads.ts';
import { viewers } from './viewers.ts';

const BENCHES: Readonly<Record<string, Bench>> = {
  join,
  viewers,
  sessions,
  cycles,
  recordings,
  uploads,
  completion,
  placement,
  requests,
  pipes,
};
const RESULTS = new URL('results/', import.meta.url);

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean', default: false }, save: { type: 'boolean', default: false } },
});
const names = positionals.length > 0 ? positionals : Object.keys(BENCHES);
const unknown = names.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`no measurement ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}

if (process.env.TEST_NAMESPACE === 'inside') {
  // Thousands of connections must not take the ports that servers under test are given.
  writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', '52000 65535');
}

for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    for (const pid of children(process.pid)) process.kill(pid);
    process.exit(exitCode);
  });
}

for (const name of names) {
  const bench = BENCHES[name] as Bench;
  const loadBefore = load();
  const startedMs = Date.now();
  const report = await bench({ short: values.short, say: (line) => console.error(`${name}: ${line}`) });
  const facts = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    loadBefore,
    seconds: Math.round((Date.now() - startedMs) / 1000),
    short: values.short,
  };
  print(report, facts);
  if (values.save) {
    mkdirSync(RESULTS, { recursive: true });
    writeFileSync(new URL(`${name}.json`, RESULTS), `${JSON.stringify({ ...report, facts }, null, 1)}\n`);
  }
}
// Whatever children are left end with their input.
process.exit(0);

function print(report: Report, facts: Readonly<Record<string, unknown>>): void {
  const verdicts = report.verdicts.map(({ what, measured, target, met }) => [
    what,
    measured,
    target,
    met ? 'met' : 'MISSED',
  ]);
  console.log(
    [
      `\n## ${report.title}`,
      `${facts.date}, ${facts.machine}; ${facts.seconds} s; load before: ${Number(facts.loadBefore).toFixed(2)}${facts.short ? '; SHORT: these figures mean little' : ''}`,
      table(report.columns, report.rows),
      ...report.notes.map((note) => `- ${note}`),
      table(['target', 'measured', 'wanted', ''], verdicts),
    ].join('\n\n'),
  );
}
