import { readFileSync } from 'node:fs';
import { type Context, defineCheck } from './check.ts';
import { info, type Judgement, ok, warning, wrong } from './finding.ts';

/** Files, listeners, pipes to the workers, and clients that are just being turned away. */
const OTHER_FILES = 256;

export interface OpenFilesFacts {
  /** Files that one process may have open; absent where the system does not say. */
  readonly limit?: number;
  readonly maxConnections: number;
}

export const openFiles = defineCheck('open-files', probe, judgeOpenFiles);

export function judgeOpenFiles({ limit, maxConnections }: OpenFilesFacts): Judgement {
  if (limit === undefined) return info('the limit of open files is not known here');
  const needed = maxConnections + OTHER_FILES;
  if (limit >= needed)
    return ok(`${limit} allowed, ${needed} needed for MILLRACE_MAX_CONNECTIONS=${maxConnections}`);
  const raise = `ulimit -n ${needed} before npm start (LimitNOFILE=${needed} in a systemd unit)`;
  if (limit <= OTHER_FILES)
    return wrong(`${limit} allowed, and the server alone needs ${OTHER_FILES}`, raise);
  const room = limit - OTHER_FILES;
  return warning(
    `${limit} allowed: room for ${room} connections, not for MILLRACE_MAX_CONNECTIONS=${maxConnections}`,
    `${raise}, or MILLRACE_MAX_CONNECTIONS=${room}`,
  );
}

function probe({ settings }: Context): OpenFilesFacts {
  const limit = ownLimit();
  return { maxConnections: settings.maxConnections, ...(limit === undefined ? {} : { limit }) };
}

/** Node raises the soft limit to the hard one when it starts, so this is what the server gets too. */
function ownLimit(): number | undefined {
  try {
    const found = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return found === undefined ? undefined : found === 'unlimited' ? Infinity : Number(found);
  } catch {
    return undefined; // Not Linux.
  }
}
