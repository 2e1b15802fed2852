import { HOW_TO_BUILD_WORKER, workerProblem } from '../../media-server/index.ts';
import { workerCachePath } from '../../media-server/worker/cache.js';
import { type Context, defineCheck } from './check.ts';
import { type Judgement, ok, wrong } from './finding.ts';

export interface WorkerFacts {
  readonly path: string;
  /** Why it is not the worker that this version needs. */
  readonly problem?: string;
}

export const workerBinary = defineCheck('worker', probe, judgeWorker);

export function judgeWorker({ path, problem }: WorkerFacts): Judgement {
  return problem === undefined
    ? ok(`${path} is the patched one of this version`)
    : wrong(problem, HOW_TO_BUILD_WORKER);
}

async function probe({ settings }: Context): Promise<WorkerFacts> {
  const path = settings.workerBin ?? workerCachePath();
  const problem = await workerProblem(path);
  return { path, ...(problem === undefined ? {} : { problem }) };
}
