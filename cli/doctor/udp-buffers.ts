import { readFileSync } from 'node:fs';
import { SOCKET_BUFFER_BYTES } from '../../media-server/index.ts';
import { defineCheck } from './check.ts';
import { info, type Judgement, ok, warning } from './finding.ts';

export interface UdpBufferFacts {
  /** Largest buffer that a socket may ask for, bytes; absent where the kernel does not say. */
  readonly receiveMax?: number;
  readonly sendMax?: number;
  /** What each worker asks for. */
  readonly wanted: number;
}

export const udpBuffers = defineCheck('udp-buffers', probe, judgeUdpBuffers);

export function judgeUdpBuffers({ receiveMax, sendMax, wanted }: UdpBufferFacts): Judgement {
  if (receiveMax === undefined || sendMax === undefined) {
    return info(
      `net.core.rmem_max and wmem_max are not visible here (a container?); the host’s should be ${wanted} or more`,
    );
  }
  const seen = `net.core.rmem_max=${receiveMax}, net.core.wmem_max=${sendMax}; workers ask for ${wanted}`;
  const short = [...(receiveMax < wanted ? ['rmem_max'] : []), ...(sendMax < wanted ? ['wmem_max'] : [])];
  if (short.length === 0) return ok(seen);
  return warning(
    `${seen}: bursts are lost in the kernel`,
    `sysctl -w ${short.map((name) => `net.core.${name}=${wanted}`).join(' ')}, and the same in /etc/sysctl.d/ to keep it`,
  );
}

function probe(): UdpBufferFacts {
  const receiveMax = read('rmem_max');
  const sendMax = read('wmem_max');
  return {
    wanted: SOCKET_BUFFER_BYTES,
    ...(receiveMax === undefined ? {} : { receiveMax }),
    ...(sendMax === undefined ? {} : { sendMax }),
  };
}

function read(name: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/net/core/${name}`, 'utf8'));
  } catch {
    return undefined; // Not Linux, or a network namespace that hides them.
  }
}
