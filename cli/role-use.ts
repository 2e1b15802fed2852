import type { Command } from './arguments.ts';
import { SETTING_GROUPS, type SettingKey } from './settings.ts';

/** Of clients, who reach signaling only. */
const FOR_CLIENTS = [
  ...keysOf('Who may use it'),
  ...keysOf('Webhooks'),
  // How long a publisher may be away concerns recordings too.
  ...keysOf('Protocol').filter((key) => key !== 'resumeTimeout'),
  ...(['listen', 'localListen', 'allowedOrigins', 'trustedProxies'] as const),
  ...(['maxConnections', 'maxConnectionsPerAddress', 'maxSessions', 'maxStreamsPerSession'] as const),
  ...(['maxBadMessages', 'maxMessageSize', 'maxSendBuffer', 'maxQueuedRequests', 'maxRequestRate'] as const),
  'maxHttpRate' as const,
];
/** Of media, which only media servers carry, and what others ask them for. */
const FOR_MEDIA = [
  ...keysOf('Media'),
  // Where files are, those who show them know as well.
  ...keysOf('Recording').filter((key) => key !== 'recordings'),
  ...keysOf('Time-outs of media'),
  ...(['maxStreams', 'maxViewers', 'channelListen', 'channelAddress'] as const),
];

/** One process by itself has nobody to hand anything to. */
const FOR_SEVERAL = keysOf('Ending');

/** Settings that a role has no use for; it passes them over, so that all roles may be given the same. */
const UNUSED: Readonly<Partial<Record<Command, ReadonlySet<SettingKey>>>> = {
  all: new Set(FOR_SEVERAL),
  signaling: new Set(FOR_MEDIA),
  'media-server': new Set(FOR_CLIENTS),
};

export function usesSetting(command: Command | 'version', key: SettingKey): boolean {
  return command === 'version' || !UNUSED[command]?.has(key);
}

function keysOf(group: keyof typeof SETTING_GROUPS): readonly SettingKey[] {
  return Object.keys(SETTING_GROUPS[group]) as SettingKey[];
}
