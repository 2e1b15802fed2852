import type { Logger } from 'pino';
import { TOKEN_VARIABLE } from '../core/channel/recorder.ts';
import { parseArguments } from './arguments.ts';
import { createLog, logFormat } from './log.ts';
import { readSettings } from './read-settings.ts';
import { AUTHORITY_VARIABLE } from './recorder-environment.ts';
import type { Settings } from './settings.ts';

export interface RecorderPart {
  readonly settings: Settings;
  /** With which it opens channels. */
  readonly token: string;
  readonly log: Logger;
}

/** What a part of a recorder was told by its environment, see `recorderEnvironment`. */
export function beginRecorderPart(name: string): RecorderPart {
  const { [TOKEN_VARIABLE]: token = '', [AUTHORITY_VARIABLE]: _, ...environment } = process.env;
  const { settings } = readSettings(parseArguments([]), environment);
  const log = createLog(settings.logLevel, logFormat(settings, false)).child({ component: name });
  return { settings, token, log };
}
