import { MIN_SECRET_BYTES } from '../adapters/auth/verification-key.ts';
import { optional, secretly, withDefault } from './setting.ts';
import { duration, file, host, hostPort, type ValueType } from './value.ts';

/** One secret, or several separated by commas. What is wrong is said without the value. */
const secrets: ValueType<readonly string[]> = {
  syntax: 'SECRET,…',
  parse(text) {
    const values = text.split(',').map((part) => part.trim());
    const wrong = secretsProblem(values);
    return wrong === undefined ? { value: values } : { wrong };
  },
};

/** What is wrong with secrets of the channel; undefined = nothing. */
export function secretsProblem(values: readonly string[]): string | undefined {
  const [shortest = 0] = values.map((value) => Buffer.byteLength(value)).sort((a, b) => a - b);
  if (shortest >= MIN_SECRET_BYTES) return undefined;
  return `a secret of ${shortest} bytes; at least ${MIN_SECRET_BYTES} random ones are needed: openssl rand -hex 32`;
}

export const CHANNEL_SETTINGS = {
  channelListen: withDefault(
    hostPort,
    '127.0.0.1:0',
    'Where this process is reached by recorders, and in a cluster by other processes of Millrace; never by clients. Any other than a loopback address needs MILLRACE_CHANNEL_SECRET or MILLRACE_CHANNEL_TLS_CA too',
  ),
  channelAddress: optional(
    host,
    'the address listened on, or this machine’s first one',
    'Name or address by which the other processes reach MILLRACE_CHANNEL_LISTEN',
  ),
  channelSecret: secretly(
    optional(
      secrets,
      'made anew at each start',
      'Secret of 32 bytes or more that all processes of a cluster share. Of several, the first signs and all are accepted, so that it can be replaced while everything runs',
    ),
  ),
  channelSecretFile: optional(
    file('read'),
    'none',
    'File with such secrets, one a line; read again when it changes',
  ),
  channelTlsCa: optional(
    file('read'),
    'without TLS',
    'Certificate of an authority that is for these processes only, a PEM file: the channel speaks TLS then, and whoever has a certificate of it is let in as one of them, without a secret. Recorders are let in by tokens all the same: where they are to reach other processes than their own, MILLRACE_CHANNEL_SECRET is needed too',
  ),
  channelTlsCert: optional(
    file('read'),
    'see MILLRACE_CHANNEL_TLS_CA',
    'Certificate of this process, signed by that authority; its names do not matter',
  ),
  channelTlsKey: optional(
    file('read'),
    'see MILLRACE_CHANNEL_TLS_CA',
    'Private key of that certificate. All three are read again when they change',
  ),
  channelHeartbeat: withDefault(
    duration({ min: '50ms', max: '10s' }),
    '500ms',
    'Between heartbeats of a connection; three without an answer, and the other end counts as dead. A machine that gives a process no time for so long loses what the process has',
  ),
} as const;
