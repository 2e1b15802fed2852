import type { Settings } from '../settings.ts';
import { type Finding, type Judgement, warning } from './finding.ts';
import type { RunningServer } from './running-server.ts';

const DEADLINE_MS = 20_000;

/** What every probe may look at. */
export interface Context {
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The Millrace that holds these settings' ports now. */
  readonly server: RunningServer | undefined;
}

export interface Check {
  readonly name: string;
  /** Never rejects. */
  run(context: Context): Promise<readonly Finding[]>;
}

/**
 * @param probe looks at the machine and changes nothing
 * @param judge pure
 */
export function defineCheck<Facts>(
  name: string,
  probe: (context: Context) => Facts | Promise<Facts>,
  judge: (facts: Facts) => Judgement | readonly Judgement[],
): Check {
  return {
    name,
    async run(context) {
      const judged = await withinDeadline(Promise.resolve(context).then(probe))
        .then(judge)
        .catch((error: unknown) =>
          warning(
            `could not be looked at: ${error instanceof Error ? error.message : error}`,
            'Run it again; should it stay, please report it with this text.',
          ),
        );
      return [judged].flat().map((judgement) => ({ check: name, ...judgement }));
    },
  };
}

async function withinDeadline<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not done after ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
