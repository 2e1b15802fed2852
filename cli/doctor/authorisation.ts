import { pino } from 'pino';
import { authorisationOf, createAuthorisation } from '../authorisation.ts';
import { isLoopback } from '../loopback.ts';
import { StartError } from '../start-error.ts';
import { type Context, defineCheck } from './check.ts';
import { info, type Judgement, ok, warning, wrong } from './finding.ts';

export interface AuthorisationFacts {
  readonly mode: ReturnType<typeof authorisationOf>;
  /** Why the keys cannot be used. */
  readonly problem?: string;
  /** Keys come from an identity provider, who is not asked here. */
  readonly keysUrl?: string;
  readonly servesNetwork: boolean;
}

export const authorisation = defineCheck('authorisation', probe, judgeAuthorisation);

export function judgeAuthorisation({ mode, problem, keysUrl, servesNetwork }: AuthorisationFacts): Judgement {
  if (problem !== undefined) return wrong(problem, 'docs/tokens.md has the forms of keys');
  if (mode === 'tokens') {
    return keysUrl === undefined
      ? ok('tokens are asked for, and their keys can be used')
      : info(`tokens are asked for; whether ${keysUrl} answers was not tried`);
  }
  if (mode === undefined) return ok('none, and only this machine is admitted');
  return servesNetwork
    ? warning(
        'MILLRACE_AUTH=off: whoever reaches the server may publish, play and end everything',
        'MILLRACE_AUTH_KEY=SECRET instead (docs/tokens.md); nothing if the network is only yours',
      )
    : ok('MILLRACE_AUTH=off, and only this machine is admitted');
}

function probe({ settings }: Context): AuthorisationFacts {
  const problem = keysProblem(settings);
  const elsewhere = settings.authJwksUrl ?? settings.authUrl;
  return {
    mode: authorisationOf(settings),
    servesNetwork: !isLoopback(settings.listen.host),
    ...(problem === undefined ? {} : { problem }),
    ...(elsewhere === undefined ? {} : { keysUrl: elsewhere }),
  };
}

/** Of keys that can be read here and now. */
function keysProblem(settings: Context['settings']): string | undefined {
  if (settings.authJwksUrl !== undefined) return undefined;
  try {
    createAuthorisation(settings, pino({ enabled: false })).close();
    return undefined;
  } catch (error) {
    // Its last line says what is wrong; the ones above, that the server cannot start.
    if (error instanceof StartError) return error.message.split('\n').at(-1);
    throw error;
  }
}
