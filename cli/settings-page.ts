import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defaultText } from './help.ts';
import { type Setting, settingNames } from './setting.ts';
import { SETTING_GROUPS } from './settings.ts';

export const SETTINGS_PAGE = fileURLToPath(new URL('../docs/settings.md', import.meta.url));

/** docs/settings.md, from the table. */
export function settingsPage(): string {
  const groups = Object.entries(SETTING_GROUPS).map(([title, settings]) => {
    const rows = Object.entries<Setting<unknown>>(settings).map(([key, setting]) => {
      const { env } = settingNames(key);
      return `| \`${env}\` | ${cell(setting.type.syntax)} | ${cell(defaultText(setting))} | ${cell(setting.help)}. |`;
    });
    return `## ${title}\n\n| variable | value | default | what it does |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `# Settings

<!-- Made by \`npm run generate\` from cli/settings.ts. Change that. -->

Nothing needs to be set to try Millrace. Each setting can be given in three ways; where more than one is, the
first of these counts:

1. a flag: \`npm start -- --rtc-port 21000\`
2. a variable of the environment: \`MILLRACE_RTC_PORT=21000 npm start\`
3. a JSON file named by \`--config FILE\` or \`MILLRACE_CONFIG\`: \`{"rtc_port": 21000, "codecs": ["opus", "VP8"]}\`

A flag is the variable's name in small letters with hyphens, without \`MILLRACE_\`; a key of the file the same with
underscores. An empty variable counts as unset. \`npm start -- settings\` prints what is in force and where it comes from.

Everything is checked at the start, and every mistake is named at once: a value that cannot be, a name that does not
exist (with the one that was probably meant), and values that contradict each other. The exit status is 2 then.

TIME is written with its unit: \`500ms\`, \`30s\`, \`2m\`, \`1h\`. BITRATE is in bit/s: \`800k\`, \`8M\`. BYTES: \`65536\`,
\`256KiB\`, \`1MiB\`. Lists are separated by commas.

${groups.join('\n')}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('*', '\\*');
}

if (import.meta.main) writeFileSync(SETTINGS_PAGE, settingsPage());
