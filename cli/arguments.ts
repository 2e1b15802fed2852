import type { Mistake } from './mistake.ts';
import { nearest } from './nearest.ts';
import { settingNames } from './setting.ts';
import { SETTINGS, type SettingKey } from './settings.ts';

export const COMMANDS = {
  all: 'Run everything in one process (what npm start does)',
  signaling: 'Run what clients speak to; media servers are found in MILLRACE_REDIS',
  'media-server': 'Run a media server for the signaling processes that share MILLRACE_REDIS',
  settings: 'Print the settings in force, and where each comes from',
  token: 'Print a token for trying out',
  doctor: 'Say what is wrong with this machine, and what to do (--json for scripts)',
  help: 'Print this',
} as const;

export type Command = keyof typeof COMMANDS;

/** Of the command `token`, behind it. */
export const TOKEN_FLAGS = ['--subject', '--publish', '--play', '--record', '--admin', '--ttl'] as const;
export type TokenFlag = (typeof TOKEN_FLAGS)[number];
const ONCE: readonly TokenFlag[] = ['--subject', '--ttl'];

export interface Arguments {
  readonly command: Command | 'version';
  /** Values of flags as they were written. */
  readonly flags: ReadonlyMap<SettingKey, string>;
  /** Values in the order in which they were written; a flag may stand there several times. */
  readonly tokenFlags: ReadonlyMap<TokenFlag, readonly string[]>;
  /** `--json`, behind `doctor`. */
  readonly json?: true;
  /** `--config` */
  readonly configFile?: string;
  readonly mistakes: readonly Mistake[];
}

const FLAGS: ReadonlyMap<string, SettingKey> = new Map(
  (Object.keys(SETTINGS) as SettingKey[]).map((key) => [settingNames(key).flag, key]),
);

/** @param args what stands behind the program's name */
export function parseArguments(args: readonly string[]): Arguments {
  const flags = new Map<SettingKey, string>();
  const tokenFlags = new Map<TokenFlag, string[]>();
  const mistakes: Mistake[] = [];
  let command: Command | 'version' | undefined;
  let configFile: string | undefined;
  let json = false;
  const mistake = (text: string, wrong: string) => mistakes.push({ text, source: 'argument', wrong });

  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? '';
    if (argument === '--help' || argument === '-h')
      return { command: 'help', flags, tokenFlags, mistakes: [] };
    if (argument === '--version') return { command: 'version', flags, tokenFlags, mistakes: [] };
    if (!argument.startsWith('-')) {
      if (command !== undefined) mistake(argument, `a second command; ${command} is one already`);
      else if (Object.hasOwn(COMMANDS, argument)) command = argument as Command;
      else mistake(argument, unknown('command', argument, Object.keys(COMMANDS)));
      continue;
    }
    if (command === 'doctor' && argument === '--json') {
      json = true;
      continue;
    }
    const [name = '', ...rest] = argument.split('=');
    const key = FLAGS.get(name);
    const tokenFlag = command === 'token' ? TOKEN_FLAGS.find((flag) => flag === name) : undefined;
    if (key === undefined && tokenFlag === undefined && name !== '--config') {
      mistake(
        name,
        unknown('flag', name, [
          ...FLAGS.keys(),
          ...(command === 'token' ? TOKEN_FLAGS : []),
          ...(command === 'doctor' ? ['--json'] : []),
          '--config',
          '--help',
          '--version',
        ]),
      );
      // The value of an unknown flag is not a command.
      if (rest.length === 0 && args[i + 1]?.startsWith('-') === false) i++;
      continue;
    }
    let value: string | undefined = rest.join('=');
    if (rest.length === 0) {
      value = args[i + 1]?.startsWith('--') ? undefined : args[++i];
    }
    if (value === undefined || value === '') mistake(argument, 'a value is missing');
    else if (tokenFlag !== undefined) {
      const given = tokenFlags.get(tokenFlag) ?? [];
      if (given.length > 0 && ONCE.includes(tokenFlag)) mistake(name, 'given twice');
      tokenFlags.set(tokenFlag, [...given, value]);
    } else if (key === undefined) configFile = value;
    else if (flags.has(key)) mistake(name, 'given twice');
    else flags.set(key, value);
  }
  return {
    command: command ?? 'all',
    flags,
    tokenFlags,
    mistakes,
    ...(json ? { json } : {}),
    ...(configFile === undefined ? {} : { configFile }),
  };
}

export function unknown(what: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return `no such ${what}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}
