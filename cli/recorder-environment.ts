import { readFileSync } from 'node:fs';
import type { ChannelAuthority } from '../adapters/channel/websocket/tls.ts';
import { compiledCodeEnvironment } from './compile-cache.ts';
import type { LogFormat } from './log.ts';
import type { ReadSettings } from './read-settings.ts';
import { settingNames } from './setting.ts';
import type { SettingKey, Settings } from './settings.ts';

/** What recorders are told of the settings; no secret is among them. */
const TOLD = [
  'recordings',
  'recordingSpool',
  'workerBin',
  'pipeListen',
  'pipePorts',
  'channelHeartbeat',
] as const satisfies readonly SettingKey[];

/** Names the file of the channel's authority; a recorder has no certificate of it. */
export const AUTHORITY_VARIABLE = 'MILLRACE_RECORDER_CHANNEL_CA';

const LEVELS: readonly Settings['logLevel'][] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/**
 * glibc (mallopt(3)): by themselves its thresholds grow with what is freed, and parts of 5 MiB would stay in
 * its hands; and each thread would have an arena. Whoever sets them knows better.
 */
const SMALL_ALLOCATOR = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '131072',
  MALLOC_TRIM_THRESHOLD_: '131072',
} as const;

/** The environment of `millrace recorder`: this process' own, with the settings that it needs and no others. */
export function recorderEnvironment(
  { settings, written }: ReadSettings,
  environment: Readonly<Record<string, string | undefined>>,
  format: LogFormat,
): Readonly<Record<string, string | undefined>> {
  const told = TOLD.flatMap((key) => {
    const value = written.get(key)?.value;
    return value === undefined ? [] : [[settingNames(key).env, value] as const];
  });
  return {
    ...SMALL_ALLOCATOR,
    ...Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('MILLRACE_'))),
    ...Object.fromEntries(told),
    ...(settings.channelTlsCa !== undefined && { [AUTHORITY_VARIABLE]: settings.channelTlsCa }),
    ...compiledCodeEnvironment(environment),
    [settingNames('logLevel').env]: settings.logLevel,
    [settingNames('logFormat').env]: format,
  };
}

/** How a recorder opens channels, by what `recorderEnvironment` has written. */
export function recorderTls(environment: Readonly<Record<string, string | undefined>>): {
  readonly tls?: () => ChannelAuthority;
} {
  const file = environment[AUTHORITY_VARIABLE];
  return file === undefined ? {} : { tls: () => ({ ca: readFileSync(file, 'utf8') }) };
}

/** What `recorderEnvironment` has written, without reading all settings: the supervisor is to be small. */
export function recorderLogLevel(environment: Readonly<Record<string, string | undefined>>): {
  readonly level: Settings['logLevel'];
  readonly format: LogFormat;
} {
  return {
    level: LEVELS.find((level) => level === environment[settingNames('logLevel').env]) ?? 'info',
    format: environment[settingNames('logFormat').env] === 'pretty' ? 'pretty' : 'json',
  };
}
