import { accessSync, constants, existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { workerCachePath } from '../../media-server/worker/cache.js';
import { certificateFile } from '../tls/kept.ts';
import { type Context, defineCheck } from './check.ts';
import { type Judgement, ok, warning } from './finding.ts';

const MIB = 1024 ** 2;
/** The worker and the compiled code of a few versions. */
const NEEDED_BYTES = 100 * MIB;

export interface FolderFact {
  /** The folder, or the nearest one above it that is there. */
  readonly folder: string;
  /** What Millrace keeps there. */
  readonly what: string;
  readonly variable: string;
  readonly freeBytes: number;
  readonly writable: boolean;
}

export const disk = defineCheck('disk', probe, (facts) => facts.map(judgeFolder));

export function judgeFolder({ folder, what, variable, freeBytes, writable }: FolderFact): Judgement {
  const seen = `${folder} (${what}): ${Math.floor(freeBytes / MIB)} MiB free`;
  if (!writable) {
    return warning(
      `${folder} (${what}) cannot be written by this user`,
      `Give this user a folder of its own: ${variable}=/path`,
    );
  }
  return freeBytes < NEEDED_BYTES
    ? warning(
        `${seen}, ${NEEDED_BYTES / MIB} are wanted`,
        `Make room there, or choose another place: ${variable}=/path`,
      )
    : ok(seen);
}

async function probe({ environment, settings }: Context): Promise<readonly FolderFact[]> {
  const places = [
    { path: dirname(workerCachePath()), what: 'cache', variable: 'XDG_CACHE_HOME' },
    { path: dirname(certificateFile(environment)), what: 'certificate', variable: 'XDG_STATE_HOME' },
    ...(settings.recordings === undefined
      ? []
      : [
          {
            path: settings.recordingSpool,
            what: 'recordings that wait for storage',
            variable: 'MILLRACE_RECORDING_SPOOL',
          },
        ]),
  ];
  return Promise.all(
    places.map(async ({ path, what, variable }) => {
      const folder = nearestFolder(path);
      const { bavail, bsize } = await statfs(folder);
      return { folder, what, variable, freeBytes: bavail * bsize, writable: isWritable(folder) };
    }),
  );
}

export function nearestFolder(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestFolder(dirname(path));
}

export function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
