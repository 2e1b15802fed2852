import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { RtcAddress } from './settings.ts';

export type PortState = 'free' | 'busy' | 'unavailable';

/**
 * Whether a worker could listen at `ip` and `port`, on UDP and on TCP. mediasoup listens at all addresses or
 * at none and does not say which one failed, so it is asked before.
 *
 * @returns `unavailable` when the machine does not have the address (any more)
 */
export async function probePort(ip: string, port: number): Promise<PortState> {
  for (const probe of [probeUdp, probeTcp]) {
    try {
      await probe(ip, port);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'busy' : 'unavailable';
    }
  }
  return 'free';
}

async function probeUdp(ip: string, port: number): Promise<void> {
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4');
  try {
    // `exclusive`: the answer must be the kernel's, also within a Node cluster.
    socket.bind({ address: ip, port, exclusive: true });
    await once(socket, 'listening');
  } finally {
    socket.close();
  }
}

async function probeTcp(ip: string, port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host: ip, port, exclusive: true });
    await once(server, 'listening');
  } finally {
    server.close();
  }
}

/**
 * The addresses where a worker can listen.
 *
 * @throws Error naming the setting when the port is taken at one of them, or when none is left
 */
export async function usableAddresses(
  addresses: readonly RtcAddress[],
  port: number,
): Promise<{ readonly usable: readonly RtcAddress[]; readonly unavailable: readonly RtcAddress[] }> {
  const states = await Promise.all(addresses.map(({ ip }) => probePort(ip, port)));
  const busy = addresses.find((_, index) => states[index] === 'busy');
  if (busy) {
    throw new Error(
      `media port ${port} is taken at ${busy.ip}; free it, or set MILLRACE_RTC_PORT to the first of a free range of ports (one UDP and TCP port a worker)`,
    );
  }
  const usable = addresses.filter((_, index) => states[index] === 'free');
  if (usable.length === 0) {
    const tried = addresses.map(({ ip }) => ip).join(', ') || 'none';
    throw new Error(
      `no address to listen on for media (tried: ${tried}); set MILLRACE_RTC_LISTEN to addresses of this machine`,
    );
  }
  return { usable, unavailable: addresses.filter((_, index) => states[index] === 'unavailable') };
}
