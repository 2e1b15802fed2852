import { wantsCredentials } from '../core/ice/index.ts';
import { isLoopback } from './loopback.ts';
import { settingNames } from './setting.ts';
import type { SettingKey, Settings } from './settings.ts';
import type { HostPort } from './value.ts';

/** Settings that are right one by one, and wrong together. */
export interface Contradiction {
  readonly keys: readonly [SettingKey, ...SettingKey[]];
  /** What is wrong, and the ways out. */
  readonly wrong: string;
}

type Check = (settings: Settings) => Contradiction | undefined;

interface Rule {
  /** A rule is passed over where one of these could not be understood. */
  readonly needs: readonly SettingKey[];
  readonly check: Check;
}

const KEY_SOURCES = [
  'authKey',
  'authKeyFile',
  'authJwksUrl',
  'authUrl',
] as const satisfies readonly SettingKey[];

const CHANNEL_PROOFS = ['channelSecret', 'channelSecretFile', 'channelTlsCa'] as const;
const CHANNEL_TLS = ['channelTlsCa', 'channelTlsCert', 'channelTlsKey'] as const;
const LISTENERS = ['listen', 'localListen', 'metricsListen', 'channelListen'] as const;

const RULES: readonly Rule[] = [
  {
    needs: ['auth', ...KEY_SOURCES],
    check: (settings) => {
      const [source, another] = keySources(settings);
      if (source === undefined) return undefined;
      if (another !== undefined) {
        return {
          keys: [source, another],
          wrong: 'two sources of keys; choose one. A file can hold several keys',
        };
      }
      return settings.auth === 'off'
        ? { keys: ['auth', source], wrong: 'authorisation is off and has a key: leave one of them out' }
        : undefined;
    },
  },
  {
    needs: ['authIssuer', 'authAudience', 'authRevokedFile', ...KEY_SOURCES],
    check: (settings) => {
      const asked = (['authIssuer', 'authAudience', 'authRevokedFile'] as const).find(
        (key) => settings[key] !== undefined,
      );
      return asked === undefined || keySources(settings).length > 0
        ? undefined
        : {
            keys: [asked],
            wrong:
              'no token is checked without a key: MILLRACE_AUTH_KEY, MILLRACE_AUTH_KEY_FILE, MILLRACE_AUTH_JWKS_URL or MILLRACE_AUTH_URL',
          };
    },
  },
  {
    needs: ['listen', 'auth', ...KEY_SOURCES],
    check: (settings) =>
      settings.auth === 'off' || keySources(settings).length > 0 || isLoopback(settings.listen.host)
        ? undefined
        : {
            keys: ['listen'],
            wrong:
              'this would let the network in without authorisation. Set MILLRACE_AUTH_KEY to a secret that signs tokens, listen on 127.0.0.1 or [::1], or say outright that everyone may do everything: MILLRACE_AUTH=off',
          },
  },
  {
    needs: ['localListen'],
    check: ({ localListen }) =>
      localListen === undefined || isLoopback(localListen.host)
        ? undefined
        : {
            keys: ['localListen'],
            wrong: 'this address is without TLS and for this machine only: 127.0.0.1:PORT, [::1]:PORT or off',
          },
  },
  {
    needs: ['tls', 'tlsCert', 'tlsKey'],
    check: ({ tls, tlsCert, tlsKey }) => {
      if (tls === 'off' && (tlsCert !== undefined || tlsKey !== undefined)) {
        return {
          keys: ['tls', 'tlsCert', 'tlsKey'],
          wrong: 'a certificate is named and TLS is off: leave one of them out',
        };
      }
      if ((tlsCert === undefined) === (tlsKey === undefined)) return undefined;
      const missing = tlsCert === undefined ? 'MILLRACE_TLS_CERT' : 'MILLRACE_TLS_KEY';
      return {
        keys: ['tlsCert', 'tlsKey'],
        wrong: `${missing} is missing: a certificate and its key go together`,
      };
    },
  },
  {
    needs: ['channelListen', ...CHANNEL_PROOFS],
    check: ({ channelListen, channelSecret, channelSecretFile, channelTlsCa }) => {
      if (channelSecret !== undefined && channelSecretFile !== undefined) {
        return { keys: ['channelSecret', 'channelSecretFile'], wrong: 'two sources of secrets; choose one' };
      }
      const proof = channelSecret ?? channelSecretFile ?? channelTlsCa;
      return proof !== undefined || isLoopback(channelListen.host)
        ? undefined
        : {
            keys: ['channelListen'],
            wrong:
              'other machines need a secret to be let in, the same for all: MILLRACE_CHANNEL_SECRET or MILLRACE_CHANNEL_SECRET_FILE; or certificates: MILLRACE_CHANNEL_TLS_CA',
          };
    },
  },
  {
    needs: ['redis', 'redisUsername', 'redisPassword', 'redisPasswordFile', 'redisSentinelPassword'],
    check: ({ redis, redisUsername, redisPassword, redisPasswordFile, redisSentinelPassword }) => {
      if (redisPassword !== undefined && redisPasswordFile !== undefined) {
        return {
          keys: ['redisPassword', 'redisPasswordFile'],
          wrong: 'two passwords; leave one of them out',
        };
      }
      if (redisSentinelPassword !== undefined && redis?.kind !== 'sentinel') {
        return { keys: ['redisSentinelPassword'], wrong: 'MILLRACE_REDIS names no Sentinels' };
      }
      const asked = redisUsername ?? redisPassword ?? redisPasswordFile;
      return asked !== undefined && redis === undefined
        ? {
            keys: ['redisUsername', 'redisPassword', 'redisPasswordFile'],
            wrong: 'MILLRACE_REDIS is missing',
          }
        : undefined;
    },
  },
  {
    needs: ['redis', ...CHANNEL_PROOFS],
    check: ({ redis, channelSecret, channelSecretFile, channelTlsCa }) =>
      redis === undefined || (channelSecret ?? channelSecretFile ?? channelTlsCa) !== undefined
        ? undefined
        : {
            keys: ['redis'],
            wrong:
              'processes that share a registry talk to each other, and let in only who has the same secret: MILLRACE_CHANNEL_SECRET or MILLRACE_CHANNEL_SECRET_FILE; or certificates: MILLRACE_CHANNEL_TLS_CA',
          },
  },
  {
    needs: CHANNEL_TLS,
    check: (settings) => {
      const missing = CHANNEL_TLS.find((key) => settings[key] === undefined);
      const given = CHANNEL_TLS.find((key) => settings[key] !== undefined);
      return missing === undefined || given === undefined
        ? undefined
        : { keys: [given], wrong: `${settingNames(missing).env} is missing: the three files go together` };
    },
  },
  {
    needs: LISTENERS,
    check: (settings) => {
      const clash = (a: HostPort | undefined, b: HostPort | undefined) =>
        a !== undefined &&
        b !== undefined &&
        a.port !== 0 &&
        a.port === b.port &&
        (a.host === b.host || isAny(a.host) || isAny(b.host));
      for (const [index, one] of LISTENERS.entries()) {
        const other = LISTENERS.slice(index + 1).find((key) => clash(settings[one], settings[key]));
        if (other !== undefined) return { keys: [one, other], wrong: 'two listeners want one port' };
      }
      return undefined;
    },
  },
  {
    needs: ['rtcPort', 'workers'],
    check: ({ rtcPort, workers }) =>
      rtcPort === 0 || rtcPort + workers - 1 <= 65_535
        ? undefined
        : {
            keys: ['rtcPort', 'workers'],
            wrong: `${workers} workers need a port each, and ${rtcPort} to ${rtcPort + workers - 1} goes beyond 65535`,
          },
  },
  {
    needs: ['rtcPort', 'workers', 'pipePorts'],
    check: ({ rtcPort, workers, pipePorts }) =>
      rtcPort === 0 ||
      pipePorts === undefined ||
      rtcPort > pipePorts.max ||
      rtcPort + workers - 1 < pipePorts.min
        ? undefined
        : {
            keys: ['rtcPort', 'pipePorts'],
            wrong: `ports ${rtcPort} to ${rtcPort + workers - 1} are for clients, and ${pipePorts.min} to ${pipePorts.max} for pipes: they must not overlap`,
          },
  },
  {
    needs: ['pipeListen'],
    check: ({ pipeListen }) =>
      isAny(pipeListen)
        ? {
            keys: ['pipeListen'],
            wrong: 'others are told this address: choose the one at which they reach this machine',
          }
        : undefined,
  },
  {
    needs: ['iceServers', 'turnSecret'],
    check: ({ iceServers, turnSecret }) => {
      const turn = iceServers?.find(wantsCredentials);
      if (turn !== undefined && turnSecret === undefined) {
        return {
          keys: ['iceServers'],
          wrong: `${turn} wants credentials: MILLRACE_TURN_SECRET is missing, the secret that the TURN server knows`,
        };
      }
      return turnSecret !== undefined && turn === undefined
        ? { keys: ['turnSecret'], wrong: 'MILLRACE_ICE_SERVERS names no TURN server that would know it' }
        : undefined;
    },
  },
  {
    needs: ['webhookUrl', 'webhookSecret'],
    check: ({ webhookUrl, webhookSecret }) => {
      if ((webhookUrl === undefined) === (webhookSecret === undefined)) return undefined;
      return webhookUrl === undefined
        ? { keys: ['webhookSecret'], wrong: 'MILLRACE_WEBHOOK_URL is missing: nobody is told' }
        : {
            keys: ['webhookUrl'],
            wrong: 'MILLRACE_WEBHOOK_SECRET is missing: by its signature the receiver knows who tells it',
          };
    },
  },
  {
    needs: ['rtcListen', 'announcedAddress'],
    check: ({ rtcListen, announcedAddress }) => {
      if (announcedAddress === undefined) return undefined;
      const wanted = rtcListen?.length ?? 1;
      if (announcedAddress.length === wanted) return undefined;
      return {
        keys: ['announcedAddress', 'rtcListen'],
        wrong: rtcListen
          ? `one announced address for each address listened on is needed: ${wanted}, not ${announcedAddress.length}`
          : 'several announced addresses need as many in MILLRACE_RTC_LISTEN, in the same order',
      };
    },
  },
  {
    needs: ['defaultBitrate', 'maxBitrate'],
    check: ({ defaultBitrate, maxBitrate }) =>
      defaultBitrate === undefined || defaultBitrate <= maxBitrate
        ? undefined
        : { keys: ['defaultBitrate', 'maxBitrate'], wrong: 'the default is above the limit' },
  },
];

/** @param understood whether a setting was given a value that could be parsed, or its default */
export function checkTogether(
  settings: Partial<Settings>,
  understood: (key: SettingKey) => boolean,
): readonly Contradiction[] {
  return RULES.filter(({ needs }) => needs.every(understood)).flatMap(
    // A rule reads only what it needs, and that is there.
    ({ check }) => check(settings as Settings) ?? [],
  );
}

function keySources(settings: Settings): readonly (typeof KEY_SOURCES)[number][] {
  return KEY_SOURCES.filter((key) => settings[key] !== undefined);
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
