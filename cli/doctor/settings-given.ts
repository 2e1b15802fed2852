import type { Mistake } from '../mistake.ts';
import type { ReadSettings } from '../read-settings.ts';
import { settingNames } from '../setting.ts';
import { type Finding, ok, wrong } from './finding.ts';

const check = 'settings';

export function judgeSettings({ written }: Pick<ReadSettings, 'written'>): Finding {
  const given = [...written].map(([key, { source }]) => `${settingNames(key).env} (${source})`);
  return {
    check,
    ...ok(given.length === 0 ? 'none given, all are defaults' : `understood: ${given.join(', ')}`),
  };
}

export function judgeMistakes(mistakes: readonly Mistake[]): readonly Finding[] {
  return mistakes.map((mistake) => ({
    check,
    ...wrong(
      `${mistake.text} (${mistake.source}): ${mistake.wrong}`,
      'Correct it; npm start -- --help has all settings. What else there is to see can be seen only then',
    ),
  }));
}
