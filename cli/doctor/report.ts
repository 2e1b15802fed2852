import type { Finding, Level } from './finding.ts';

/** From the best to the worst; `info` counts as good. */
export type Verdict = 'ok' | 'warning' | 'wrong';

export interface Report {
  readonly version: string;
  readonly findings: readonly Finding[];
}

export function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.some(({ level }) => level === 'wrong')) return 'wrong';
  return findings.some(({ level }) => level === 'warning') ? 'warning' : 'ok';
}

/** For scripts: `{version, verdict, findings: [{check, level, seen, fix?}]}`. */
export function jsonReport({ version, findings }: Report): string {
  return JSON.stringify({ version, verdict: verdictOf(findings), findings }, null, 2);
}

/** For people: a line for each finding, and its fix below. */
export function textReport({ version, findings }: Report): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap((finding) => [
    `${finding.level.padEnd(7)}  ${finding.check.padEnd(width)}  ${finding.seen}`,
    ...('fix' in finding ? [`${' '.repeat(width + 11)}Fix: ${finding.fix}`] : []),
  ]);
  return [`Millrace ${version}, examined`, '', ...lines, '', summary(findings)].join('\n');
}

function summary(findings: readonly Finding[]): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  return `${count('wrong')} wrong, ${count('warning')} to be warned of, ${count('ok')} in order.`;
}
