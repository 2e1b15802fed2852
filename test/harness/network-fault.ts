import { execFileSync } from 'node:child_process';

/** A fault that is put on UDP sent from a server's media port, in the tests' own network namespace. */
export interface NetworkFault {
  /** Packets so far. */
  dropped(): number;
  remove(): void;
}

/** Drops this share of the packets at random. */
export function loseFrom(port: number, ratio: number): NetworkFault {
  return dropUdp(port, ['-m', 'statistic', '--mode', 'random', '--probability', String(ratio)]);
}

/** Drops what one destination is sent above the rate. */
export function limitFrom(port: number, kilobytesPerSecond: number): NetworkFault {
  return dropUdp(port, [
    ...['-m', 'hashlimit', '--hashlimit-above', `${kilobytesPerSecond}kb/s`, '--hashlimit-burst', '48kb'],
    ...['--hashlimit-mode', 'dstport', '--hashlimit-name', `limit${port}`],
  ]);
}

/** Drops everything to the port and from it: a network that lets no UDP through. */
export function dropAllUdp(port: number): Pick<NetworkFault, 'remove'> {
  const from = dropUdp(port, []);
  const to = dropUdp(port, [], '--dport');
  return {
    remove() {
      from.remove();
      to.remove();
    },
  };
}

function dropUdp(
  port: number,
  match: readonly string[],
  end: '--sport' | '--dport' = '--sport',
): NetworkFault {
  if (process.env.TEST_NAMESPACE !== 'inside') {
    throw new Error('network faults are for test/harness/in-namespace.sh only');
  }
  const rule = ['INPUT', '-p', 'udp', end, String(port), ...match, '-j', 'DROP'];
  execFileSync('iptables', ['-A', ...rule]);
  return {
    dropped: () => {
      const listing = execFileSync('iptables', ['-S', 'INPUT', '-v']).toString();
      const line = listing.split('\n').find((each) => each.includes(`${end} ${port} `)) ?? '';
      return Number(/ -c (\d+) /.exec(line)?.[1] ?? 0);
    },
    remove: () => void execFileSync('iptables', ['-D', ...rule]),
  };
}
