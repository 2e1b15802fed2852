/** One thing wrong with the settings, in the words of whoever wrote them. */
export interface Mistake {
  /** What was written, such as `MILLRACE_RTC_PORT=forty`. */
  readonly text: string;
  /** Where, such as `environment` or a file's name. */
  readonly source: string;
  /** What is wrong and what is right. */
  readonly wrong: string;
}

export class SettingsError extends Error {
  readonly mistakes: readonly Mistake[];

  constructor(mistakes: readonly Mistake[]) {
    super(describeMistakes(mistakes));
    this.name = 'SettingsError';
    this.mistakes = mistakes;
  }
}

function describeMistakes(mistakes: readonly Mistake[]): string {
  const count = mistakes.length === 1 ? 'One setting is' : `${mistakes.length} settings are`;
  const lines = mistakes.map(({ text, source, wrong }) => `  ${text}   (${source})\n      ${wrong}`);
  return [
    `Millrace cannot start. ${count} wrong:`,
    '',
    ...lines,
    '',
    'All settings: npm start -- --help',
  ].join('\n');
}
