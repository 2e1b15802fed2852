import type { Logger } from 'pino';
import type { MediaNotice } from '../core/channel/media.ts';
import type { Traffic } from './meter.ts';
import type { PipeSet } from './pipe.ts';
import type { Quota } from './quota.ts';
import type { MediaServerSettings } from './settings.ts';
import type { WorkerPool } from './worker-pool.ts';

/** What the streams of one media server share. */
export interface StreamContext {
  readonly settings: MediaServerSettings;
  readonly pool: WorkerPool;
  readonly pipes: PipeSet;
  readonly viewers: Quota;
  readonly traffic: Traffic;
  readonly log: Logger;
  readonly notify: (notice: MediaNotice) => void;
}
