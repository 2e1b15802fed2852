import { defaultText } from './help.ts';
import type { ReadSettings } from './read-settings.ts';
import { type Setting, settingNames } from './setting.ts';
import { SETTING_GROUPS, type SettingKey } from './settings.ts';

/** What is in force, as lines of an environment file; defaults are commented out. */
export function settingsListing({ written }: ReadSettings): string {
  return Object.entries(SETTING_GROUPS)
    .flatMap(([title, settings]) => [
      `# ${title}`,
      ...Object.entries<Setting<unknown>>(settings).map(([key, setting]) => {
        const { env } = settingNames(key);
        const found = written.get(key as SettingKey);
        if (found && setting.secret) return `# ${env} is set, and not shown   # ${found.source}`;
        return found ? `${env}=${found.value}   # ${found.source}` : `# ${env}: ${defaultText(setting)}`;
      }),
      '',
    ])
    .join('\n');
}
