import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseArguments } from './arguments.ts';
import { helpText } from './help.ts';
import { settingNames } from './setting.ts';
import { SETTINGS } from './settings.ts';
import { SETTINGS_PAGE, settingsPage } from './settings-page.ts';

const KEYS = Object.keys(SETTINGS);

describe('the help', () => {
  it('names the flag and the variable of every setting', () => {
    const text = helpText();
    for (const key of KEYS) {
      const { env, flag } = settingNames(key);
      assert.ok(text.includes(`  ${flag} `), flag);
      assert.ok(text.includes(`      ${env},`), env);
    }
  });

  it('fits into 100 columns', () => {
    const tooLong = helpText()
      .split('\n')
      .filter((line) => line.length > 100);
    assert.deepEqual(tooLong, []);
  });

  it('is asked for by --help, -h and help, whatever else stands there', () => {
    for (const args of [['--help'], ['-h'], ['help'], ['all', '--no-such', '--help']]) {
      assert.equal(parseArguments(args).command, 'help');
      assert.deepEqual(parseArguments(args).mistakes, []);
    }
  });
});

describe('the table of settings', () => {
  it('has a default for each that can be parsed', () => {
    for (const [key, setting] of Object.entries(SETTINGS)) {
      if (setting.fallback === undefined) continue;
      assert.ok('value' in setting.type.parse(setting.fallback), `${key}=${setting.fallback}`);
    }
  });

  it('says what each is without one', () => {
    for (const [key, setting] of Object.entries(SETTINGS)) {
      assert.ok(setting.fallback ?? setting.fallbackText, key);
      assert.doesNotMatch(setting.help, /\.$/, `${key}: the full stop comes by itself`);
    }
  });

  it('is what docs/settings.md shows; if not, run npm run generate', () => {
    assert.equal(readFileSync(SETTINGS_PAGE, 'utf8'), settingsPage());
  });
});
