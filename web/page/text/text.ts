import { en, type TextKey } from './en.ts';
import { zh } from './zh.ts';

export type { TextKey } from './en.ts';
export type Language = 'en' | 'zh';

const LANGUAGES: Readonly<Record<Language, Readonly<Record<TextKey, string>>>> = { en, zh };
const TAGS: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' };
const MEMORY = 'millrace.language';
const listeners = new Set<() => void>();
let current: Language = 'en';

/** The first of the wanted languages that the page has. @param wanted tags of BCP 47, the first is liked best */
export function chooseLanguage(remembered: string | null, wanted: readonly string[]): Language {
  for (const tag of remembered === null ? wanted : [remembered, ...wanted]) {
    const language = tag.toLowerCase().split('-')[0];
    if (language === 'en' || language === 'zh') return language;
  }
  return 'en';
}

export function language(): Language {
  return current;
}

/** The tag that `Intl` and the `lang` attribute take. */
export function languageTag(): string {
  return TAGS[current];
}

export function setLanguage(next: Language): void {
  current = next;
  remember(next);
  translatePage();
  for (const listener of listeners) listener();
}

export function startLanguage(): void {
  current = chooseLanguage(remembered(), navigator.languages ?? [navigator.language]);
  translatePage();
}

/** Called after each change, for texts that the page's own attributes do not hold. */
export function onLanguage(listener: () => void): void {
  listeners.add(listener);
}

export function text(key: TextKey, values: Readonly<Record<string, string | number>> = {}): string {
  return LANGUAGES[current][key].replace(/\{(\w+)\}/g, (whole, name: string) =>
    String(values[name] ?? whole),
  );
}

/** The first of these keys that exists: texts for error names that may be unknown here. */
export function textOf(...keys: readonly string[]): string {
  const key = keys.find((candidate) => candidate in en);
  return key === undefined ? '' : text(key as TextKey);
}

function translatePage(): void {
  document.documentElement.lang = languageTag();
  for (const element of document.querySelectorAll<HTMLElement>('[data-text]')) {
    element.textContent = textOf(element.dataset.text ?? '');
  }
  for (const element of document.querySelectorAll<HTMLElement>('[data-label]')) {
    const label = textOf(element.dataset.label ?? '');
    element.setAttribute('aria-label', label);
    element.title = label;
  }
  for (const input of document.querySelectorAll<HTMLInputElement>('[data-placeholder]')) {
    input.placeholder = textOf(input.dataset.placeholder ?? '');
  }
}

// Storage throws where the user forbade it; then the choice lasts as long as the page.
function remember(language: Language): void {
  try {
    localStorage.setItem(MEMORY, language);
  } catch {}
}

function remembered(): string | null {
  try {
    return localStorage.getItem(MEMORY);
  } catch {
    return null;
  }
}
