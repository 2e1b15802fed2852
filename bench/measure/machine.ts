import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** What the figures were measured on, one line. */
export function machine(): string {
  const all = cpus();
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  return `${all.length} cores (${all[0]?.model.trim()}), ${memoryGib} GiB, Linux ${release()}, Node ${process.versions.node}, ${chromium()}`;
}

function chromium(): string {
  try {
    const text = execFileSync(process.env.CHROMIUM ?? '/usr/bin/chromium', ['--version'], {
      encoding: 'utf8',
    });
    return text.trim().split(' ').slice(0, 2).join(' ');
  } catch {
    return 'no Chromium';
  }
}

/** Average number of processes that ran or wanted to in the last minute. */
export function load(): number {
  return loadavg()[0] ?? 0;
}
