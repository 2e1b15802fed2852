import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { en, type TextKey } from './en.ts';
import { chooseLanguage } from './text.ts';
import { zh } from './zh.ts';

const html = readFileSync(new URL('../index.html', import.meta.url), 'utf8');
const keys = Object.keys(en) as TextKey[];
const slots = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map(([, slot]) => slot ?? '').toSorted();

test('Each text has the same slots in both languages', () => {
  for (const key of keys) assert.deepEqual(slots(zh[key]), slots(en[key]), key);
});

test('The page names only texts that there are, and its English is the dictionary’s', () => {
  const named = [...html.matchAll(/data-(?:text|label|placeholder)="(\w+)"/g)].map(([, key]) => key ?? '');
  assert.deepEqual(
    named.filter((key) => !(key in en)),
    [],
  );
  for (const [, key = '', shown = ''] of html.matchAll(/data-text="(\w+)">([^<]+)</g)) {
    assert.equal(shown, en[key as TextKey], key);
  }
});

test('Every failure has advice', () => {
  const failures = keys.filter((key) => key.startsWith('error_') && !key.endsWith('_ended'));
  const lacking = failures.filter((key) => !(key.replace('error_', 'advice_') in en));
  assert.deepEqual(lacking, []);
});

test('The language remembered goes before those of the browser, and English before none', () => {
  assert.equal(chooseLanguage(null, ['de', 'zh-Hant-TW', 'en']), 'zh');
  assert.equal(chooseLanguage('en', ['zh-CN']), 'en');
  assert.equal(chooseLanguage('xx', ['zh-CN']), 'zh');
  assert.equal(chooseLanguage(null, ['fr']), 'en');
});
