import { optional, secretly, withDefault } from './setting.ts';
import { duration, list, type ValueType } from './value.ts';

/** RFC 7064 section 3.1 and RFC 7065 section 3.1. */
const ICE_URL =
  /^(?:stuns?:(?:\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?|turns?:(?:\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?)$/i;

const iceUrl: ValueType<string> = {
  syntax: 'URL',
  parse: (text) =>
    ICE_URL.test(text)
      ? { value: text.toLowerCase() }
      : {
          wrong:
            'not the URL of a STUN or TURN server; write it like stun:HOST:3478, turn:HOST:3478?transport=udp or turns:HOST:5349?transport=tcp',
        },
};

const turnSecret: ValueType<string> = {
  syntax: 'SECRET',
  parse: (text) =>
    Buffer.byteLength(text) >= 16
      ? { value: text }
      : { wrong: 'shorter than 16 bytes; make one with openssl rand -hex 32' },
};

export const ICE_SETTINGS = {
  iceServers: optional(
    list(iceUrl),
    'none',
    'STUN and TURN servers that clients are told to use. Clients that reach the media ports need none; TURN is for those that reach neither their UDP nor their TCP. docs/turn.md tells how to run one',
  ),
  turnSecret: secretly(
    optional(
      turnSecret,
      'none',
      'Secret that the TURN servers of MILLRACE_ICE_SERVERS know too (coturn: use-auth-secret and static-auth-secret). Clients get credentials that are made of it and expire',
    ),
  ),
  turnTtl: withDefault(
    duration({ min: '1m', max: '48h' }),
    '6h',
    'How long these credentials are good; clients with heartbeats get new ones with each',
  ),
} as const;
