import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { listenAddresses } from '../../media-server/index.ts';
import { rtcAddresses } from '../role-settings.ts';
import { type Context, defineCheck } from './check.ts';
import { info, type Judgement, ok, warning, wrong } from './finding.ts';

const TRIES = 4;
const BETWEEN_TRIES_MS = 250;

export interface UdpTry {
  /** What clients are told. */
  readonly address: string;
  /** Where a worker listens. */
  readonly ip: string;
  readonly port: number;
  /** `port` is another one than workers use, as theirs is taken or not chosen yet. */
  readonly standIn: boolean;
  readonly outcome: 'arrived' | 'lost' | 'no listener' | { readonly error: string };
}

export const udpReach = defineCheck('udp', probe, (tries) => tries.map(judgeUdp));

export function judgeUdp({ address, ip, port, standIn, outcome }: UdpTry): Judgement {
  const to = `${isIPv6(address) ? `[${address}]` : address}:${port}`;
  const which = standIn ? ', a port taken for this only' : '';
  if (outcome === 'arrived') return ok(`a datagram to ${to} arrived${which}`);
  // The check of the media ports says more.
  if (outcome === 'no listener') return info(`not tried: ${ip} cannot be listened at`);
  if (outcome !== 'lost') {
    return warning(
      `no datagram could be sent to ${to}: ${outcome.error}`,
      `Look for what is in the way: ip route get ${address}; iptables -S OUTPUT`,
    );
  }
  if (address !== ip) {
    return warning(
      `datagrams to ${to} did not come back to ${ip}: the router does not forward the port, or does not lead back what comes from inside${which}`,
      `Forward UDP and TCP port ${port} of ${address} to ${ip}. If it is forwarded and clients from outside play, nothing`,
    );
  }
  return wrong(
    `datagrams to ${to} do not arrive: a firewall of this machine drops them${which}`,
    `Admit UDP and TCP port ${port}: ${isIPv6(ip) ? 'ip6tables' : 'iptables'} -I INPUT -p udp --dport ${port} -j ACCEPT, or the same with your firewall’s own tool`,
  );
}

/** From another socket to what clients are told: through this machine's firewall and, where one stands between, its router. */
async function probe({ settings }: Context): Promise<readonly UdpTry[]> {
  const addresses = listenAddresses(rtcAddresses(settings), networkInterfaces());
  return Promise.all(
    addresses.map(({ ip, announcedAddress: address = ip }) => attempt(ip, address, settings.rtcPort)),
  );
}

async function attempt(ip: string, address: string, rtcPort: number): Promise<UdpTry> {
  const type = ip.includes(':') ? 'udp6' : 'udp4';
  const listener = (await bound(type, ip, rtcPort)) ?? (await bound(type, ip, 0));
  const sender = await bound(type, undefined, 0);
  try {
    if (listener === undefined || sender === undefined) {
      return {
        address,
        ip,
        port: rtcPort,
        standIn: false,
        outcome: 'no listener',
      };
    }
    const { port } = listener.address();
    const outcome = await send(sender, listener, address, port);
    return { address, ip, port, standIn: port !== rtcPort, outcome };
  } finally {
    listener?.close();
    sender?.close();
  }
}

async function send(
  sender: Socket,
  listener: Socket,
  address: string,
  port: number,
): Promise<UdpTry['outcome']> {
  const token = crypto.randomUUID();
  const { promise: arrived, resolve } = Promise.withResolvers<'arrived'>();
  listener.on('message', (message) => {
    if (message.toString() === token) resolve('arrived');
  });
  for (let i = 0; i < TRIES; i++) {
    const failure = await new Promise<Error | null>((done) => sender.send(token, port, address, done));
    if (failure) return { error: failure.message };
    const { promise: paused, resolve: wake } = Promise.withResolvers<'lost'>();
    const timer = setTimeout(wake, BETWEEN_TRIES_MS, 'lost');
    const seen = await Promise.race([arrived, paused]);
    clearTimeout(timer);
    if (seen === 'arrived') return seen;
  }
  return 'lost';
}

async function bound(
  type: 'udp4' | 'udp6',
  address: string | undefined,
  port: number,
): Promise<Socket | undefined> {
  const socket = createSocket({ type, ipv6Only: type === 'udp6' });
  try {
    socket.bind({ port, exclusive: true, ...(address === undefined ? {} : { address }) });
    await once(socket, 'listening');
    // An error later on is told to whoever sends.
    socket.on('error', () => {});
    return socket;
  } catch {
    socket.close();
    return undefined;
  }
}
