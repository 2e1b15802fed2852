import { type DestinationStream, type Logger, pino } from 'pino';
import type { Settings } from './settings.ts';

/** Records beyond this are dropped while nobody reads them. */
const MAX_UNREAD_BYTES = 8 * 1024 * 1024;

export type LogFormat = 'json' | 'pretty';

/** @param terminal whether a person looks at the output */
export function logFormat(settings: Pick<Settings, 'logFormat'>, terminal: boolean): LogFormat {
  return settings.logFormat ?? (terminal ? 'pretty' : 'json');
}

/** @param out where records go, a line each; standard output when absent */
export function createLog(level: Settings['logLevel'], format: LogFormat, out?: DestinationStream): Logger {
  const options = {
    level,
    // A process' number and host name are known to whoever collects its output.
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const destination = out ?? standardOutput(format);
  return pino(
    options,
    format === 'json' ? destination : { write: (line) => destination.write(prettyLine(line)) },
  );
}

/**
 * Whoever collects records may stop reading them; that must stop no client's request. What a person reads must
 * stay in order with what else is printed.
 */
function standardOutput(format: LogFormat): DestinationStream {
  return pino.destination(
    format === 'json' ? { dest: 1, sync: false, maxLength: MAX_UNREAD_BYTES } : { dest: 1, sync: true },
  );
}

const FIXED = new Set(['level', 'time', 'msg', 'err']);
/** Would move the cursor, start a line, or turn the order of what follows round. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** `14:02:11.402 warn  stream ended  stream=lobby reason=displaced` */
export function prettyLine(json: string): string {
  const record: Record<string, unknown> = JSON.parse(json);
  const fields = Object.entries(record)
    .filter(([name]) => !FIXED.has(name))
    .map(([name, value]) => `${visible(name)}=${fieldText(value)}`);
  const time = String(record.time).slice(11, 23);
  const head = `${time} ${String(record.level).padEnd(5)} ${visible(String(record.msg ?? ''))}`;
  const line = fields.length === 0 ? head : `${head}  ${fields.join(' ')}`;
  const stack = (record.err as { stack?: string } | undefined)?.stack;
  return stack === undefined ? `${line}\n` : `${line}\n${stackText(stack)}\n`;
}

/** In quotes where it could be taken for several fields, or for none. */
function fieldText(value: unknown): string {
  const plain = typeof value === 'string' && /^[^\s"=]+$/u.test(value);
  return visible(plain ? value : JSON.stringify(value));
}

function visible(text: string): string {
  return text.replace(UNSEEN, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** An error's own words may have lines: set in, none of them looks like a record. */
function stackText(stack: string): string {
  return stack
    .split(/\r\n|\r|\n/)
    .map((line, index) => visible(index === 0 || line.startsWith('    ') ? line : `    ${line}`))
    .join('\n');
}
