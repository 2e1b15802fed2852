import { COMMANDS } from './arguments.ts';
import { type Setting, settingNames } from './setting.ts';
import { SETTING_GROUPS } from './settings.ts';

const WIDTH = 96;
const INDENT = '      ';

export function helpText(): string {
  const commands = Object.entries(COMMANDS).map(([name, what]) => `  ${name.padEnd(13)} ${what}`);
  const groups = Object.entries(SETTING_GROUPS).map(([title, settings]) =>
    [
      title,
      ...Object.entries<Setting<unknown>>(settings).map(([key, setting]) => describe(key, setting)),
    ].join('\n'),
  );
  return [
    'Millrace: publish and play live WebRTC streams.',
    '',
    'Use: npm start -- [COMMAND] [--SETTING VALUE]...',
    '',
    'Commands',
    ...commands,
    '',
    wrap(
      'token --subject NAME [--publish PATTERN] [--play PATTERN] [--record PATTERN] [--admin PATTERN|true] [--ttl TIME] signs with MILLRACE_AUTH_KEY what it is told to allow on the streams that fit the pattern (* any characters, ? one); a flag may stand there several times, and --ttl is 1h by default.',
      '',
    ),
    '',
    wrap(
      'Each setting can be a flag, a variable of the environment, or a line of a JSON file named by --config or MILLRACE_CONFIG; a flag wins over the environment, and that over the file. --rtc-port 21000, MILLRACE_RTC_PORT=21000 and {"rtc_port": 21000} say the same. TIME is written like 500ms, 30s, 2m; BITRATE like 800k, 8M (bit/s); BYTES like 65536, 256KiB.',
      '',
    ),
    '',
    groups.join('\n\n'),
    '',
  ].join('\n');
}

function describe(key: string, setting: Setting<unknown>): string {
  const { env, flag } = settingNames(key);
  return [
    `  ${flag} ${setting.type.syntax}`,
    `${INDENT}${env}, default: ${defaultText(setting)}`,
    wrap(`${setting.help}.`, INDENT),
  ].join('\n');
}

export function defaultText(setting: Setting<unknown>): string {
  return setting.fallbackText ?? setting.fallback ?? 'none';
}

function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(indent + line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, indent + line].join('\n');
}
