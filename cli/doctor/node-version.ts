import { readFileSync } from 'node:fs';
import { defineCheck } from './check.ts';
import { info, type Judgement, ok, wrong } from './finding.ts';

export interface NodeFacts {
  /** Such as `24.21.0`. */
  readonly running: string;
  /** The one that is installed with the other dependencies, and tested. */
  readonly pinned: string;
}

export const nodeVersion = defineCheck('node', probe, judgeNode);

export function judgeNode({ running, pinned }: NodeFacts): Judgement {
  const [is, needed] = [running, pinned].map((version) => Number(version.split('.')[0]));
  if (is === undefined || needed === undefined || is < needed) {
    return wrong(
      `Node ${running}; ${needed} is needed`,
      'npm start -- doctor brings its own Node; so does npm start',
    );
  }
  return is > needed ? info(`Node ${running}; only ${needed} has been tried`) : ok(`Node ${running}`);
}

function probe(): NodeFacts {
  const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return { running: process.versions.node, pinned: String(dependencies.node) };
}
