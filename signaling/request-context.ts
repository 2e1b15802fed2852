import type { Logger } from 'pino';
import type { Identity, Permission } from '../core/auth/index.ts';
import type { IceServer } from '../core/ice/index.ts';
import type { LoadForecast } from '../core/placement/load-forecast.ts';
import { MillraceError, type StreamName } from '../core/protocol/index.ts';
import type { RecorderLauncher } from '../core/recording/launcher.ts';
import type { Registry } from '../core/registry/registry.ts';
import type { ObjectStore } from '../core/storage/object-store.ts';
import type { EdgeDirectory } from './edge-directory.ts';
import type { Handovers } from './handovers.ts';
import type { MediaLinks } from './media-links.ts';
import type { RecordingNews } from './recording-news.ts';
import type { Session } from './session.ts';
import type { SessionRecords } from './session-records.ts';
import type { SessionStore } from './session-store.ts';
import type { SignalingSettings } from './settings.ts';
import type { StreamDirectory } from './stream-directory.ts';
import type { WebhookNews } from './webhook-news.ts';

/** What recording needs; the same for the wire and for /api/v1. */
export interface Recordings {
  readonly launcher: RecorderLauncher;
  /** Where the files are. */
  readonly objects: ObjectStore;
}

/** What every request is served with. */
export interface Services {
  readonly settings: SignalingSettings;
  readonly registry: Registry;
  readonly links: MediaLinks;
  readonly sessions: SessionStore;
  readonly records: SessionRecords;
  readonly streams: StreamDirectory;
  readonly edges: EdgeDirectory;
  readonly handovers: Handovers;
  readonly forecast: LoadForecast;
  /** undefined where recording is off. */
  readonly recordings: Recordings | undefined;
  readonly news: RecordingNews;
  readonly webhooks: WebhookNews;
  readonly log: Logger;
  /** For new connections of one client's; none where nothing is configured. */
  readonly iceServers: (user: string) => IceServer[];
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** One request's: who asks, and until when a reply is of use. */
export interface RequestContext {
  readonly session: Session;
  readonly identity: Identity;
  /** By the services' clock. */
  readonly deadlineMs: number;
}

/** @throws MillraceError `not_authorised` */
export function demandPermission(identity: Identity, permission: Permission, stream?: StreamName): void {
  if (identity.may(permission, stream)) return;
  const what = stream === undefined ? 'this' : `"${permission}" on "${stream}"`;
  throw new MillraceError('not_authorised', `your token does not allow ${what}; ask for one that does`);
}

/** @throws MillraceError `timed_out`, `unknown_session`: there is nobody to begin this for any more */
export function demandUseful(services: Services, context: RequestContext): void {
  if (services.now() >= context.deadlineMs) {
    throw new MillraceError('timed_out', 'the request waited too long for an earlier one; try again');
  }
  if (context.session.ended) {
    throw new MillraceError('unknown_session', 'this session has ended; send "" to start a new session');
  }
}

/** What is left until the deadline, in ms. */
export function timeLeft(services: Services, context: RequestContext): number {
  return context.deadlineMs - services.now();
}
