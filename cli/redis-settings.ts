import { words } from './auth-value.ts';
import { redisLocation } from './redis-value.ts';
import { optional, secretly, withDefault } from './setting.ts';
import { file, type ValueType } from './value.ts';

const prefix: ValueType<string> = {
  syntax: 'NAME',
  parse: (text) =>
    /^[\w.-]{1,64}$/.test(text)
      ? { value: text }
      : { wrong: 'letters, digits, hyphens, dots and underscores only, at most 64' },
};

export const REDIS_SETTINGS = {
  redis: optional(
    redisLocation,
    'the memory of this process',
    'Where processes share who publishes what: redis://HOST:6379/DB, redis+sentinel://HOST:26379,HOST:26379/GROUP or redis+cluster://HOST:6379,HOST:6379; rediss instead of redis speaks TLS, and ?ca=FILE says whom to trust. Redis 7 or Valkey. millrace signaling and millrace media-server need it',
  ),
  redisUsername: optional(words, 'none', 'User of Redis, where it has users'),
  redisPassword: secretly(optional(words, 'none', 'Password of Redis')),
  redisPasswordFile: optional(
    file('read'),
    'none',
    'File with the password; read again for each connection, so that it can be changed while everything runs',
  ),
  redisSentinelPassword: secretly(
    optional(words, 'none', 'Password of the Sentinels themselves, where they have one'),
  ),
  redisPrefix: withDefault(
    prefix,
    'millrace',
    'Begins every key, so that several clusters can share one Redis; the same for all processes of one',
  ),
} as const;
