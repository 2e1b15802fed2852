import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { openStorage } from '../storage.ts';
import { type Context, defineCheck } from './check.ts';
import { isWritable, nearestFolder } from './disk.ts';
import { info, type Judgement, ok, warning, wrong } from './finding.ts';
import { type StorageTrial, tryStorage } from './storage-trial.ts';

const MIB = 1024 ** 2;
/** An hour of a recording of 2 Mbit/s. */
const WANTED_BYTES = 1024 * MIB;
/** A store refuses requests from 15 min on. */
const CLOCK_TOLERANCE_MS = 60_000;
/** A recording is written about every second. */
const SLOW_MS = 1000;

export type StorageFacts =
  | { readonly kind: 'off' }
  /** A folder that is made at the first start. */
  | {
      readonly kind: 'absent';
      readonly folder: string;
      /** The nearest one above it that is there. */
      readonly above: string;
      readonly writable: boolean;
      readonly freeBytes: number;
    }
  | {
      readonly kind: 'tried';
      readonly location: string;
      readonly trial: StorageTrial;
      /** A folder, and other machines may share the registry. */
      readonly toBeShared?: boolean;
      /** Of a folder. */
      readonly freeBytes?: number;
    };

export const storage = defineCheck('storage', probe, judgeStorage);

export function judgeStorage(facts: StorageFacts): readonly Judgement[] {
  switch (facts.kind) {
    case 'off':
      return [info('MILLRACE_RECORDINGS=off: nothing can be recorded')];
    case 'absent': {
      const { folder, above, writable, freeBytes } = facts;
      if (!writable) {
        return [
          wrong(
            `${folder} cannot be made: this user may not write in ${above}`,
            `Make it for this user (install -d -o USER ${folder}), or choose another place: MILLRACE_RECORDINGS=/path`,
          ),
        ];
      }
      return (
        judgeRoom(folder, freeBytes) ?? [ok(`${folder} is made at the first start; ${mib(freeBytes)} free`)]
      );
    }
    case 'tried':
      return judgeTried(facts);
  }
}

function judgeTried({
  location,
  trial,
  freeBytes,
  toBeShared,
}: Extract<StorageFacts, { kind: 'tried' }>): readonly Judgement[] {
  const { failure, conditions, writeMs, clockAheadMs } = trial;
  if (failure !== undefined) {
    return [
      wrong(
        `${location}: cannot ${failure.doing}: ${failure.why}`,
        failure.fix === undefined
          ? 'See what the store says of it, or choose another place: MILLRACE_RECORDINGS'
          : `${failure.fix.charAt(0).toUpperCase()}${failure.fix.slice(1)} (MILLRACE_RECORDINGS)`,
      ),
    ];
  }
  const judged: Judgement[] = [];
  if (!conditions) {
    judged.push(
      warning(
        `${location} writes although a condition (If-None-Match, If-Match) does not hold: of two recordings with one name, made at the same moment, one may replace the other`,
        'Use a version of the store that keeps to conditional writes, or let only one server record there',
      ),
    );
  }
  if (Math.abs(clockAheadMs) > CLOCK_TOLERANCE_MS) {
    const seconds = Math.round(Math.abs(clockAheadMs) / 1000);
    judged.push(
      warning(
        `${location}: its clock is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} this machine’s; from 15 min on a store refuses everything`,
        'Set the one that is wrong: timedatectl set-ntp true',
      ),
    );
  }
  if (writeMs > SLOW_MS) {
    judged.push(
      warning(
        `${location}: took ${Math.round(writeMs)} ms to write 64 KiB: recordings are written about every second, and would lag`,
        'Choose a store that is nearer or faster, or see what slows it down',
      ),
    );
  }
  judged.push(...((freeBytes !== undefined && judgeRoom(location, freeBytes)) || []));
  const room = freeBytes === undefined ? '' : `; ${mib(freeBytes)} free`;
  const found =
    judged.length > 0
      ? judged
      : [ok(`${location}: written, read, listed and deleted; conditions are kept${room}`)];
  if (!toBeShared) return found;
  return [
    ...found,
    info(
      `${location} is a folder, and MILLRACE_REDIS is set: processes on other machines need the same folder there, by a network file system; where they have another, recordings are refused`,
    ),
  ];
}

function judgeRoom(folder: string, freeBytes: number): readonly Judgement[] | undefined {
  if (freeBytes >= WANTED_BYTES) return undefined;
  return [
    warning(
      `${folder}: ${mib(freeBytes)} free; an hour of 2 Mbit/s takes ${mib(WANTED_BYTES)}`,
      'Make room there, or choose another place: MILLRACE_RECORDINGS=/path',
    ),
  ];
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / MIB)} MiB`;
}

async function probe({ settings: { recordings, redis } }: Context): Promise<StorageFacts> {
  if (recordings === undefined) return { kind: 'off' };
  if (recordings.kind === 'folder' && !existsSync(recordings.path)) {
    const above = nearestFolder(recordings.path);
    const freeBytes = await freeBytesOf(above);
    return { kind: 'absent', folder: recordings.path, above, writable: isWritable(above), freeBytes };
  }
  const store = await openStorage(recordings);
  try {
    const trial = await tryStorage(store, `doctor-${randomBytes(8).toString('hex')}`);
    const { location } = store;
    return recordings.kind === 's3'
      ? { kind: 'tried', location, trial }
      : {
          kind: 'tried',
          location,
          trial,
          freeBytes: await freeBytesOf(recordings.path),
          toBeShared: redis !== undefined,
        };
  } finally {
    store.close();
  }
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
