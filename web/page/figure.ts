import { make, setText } from './element.ts';
import type { Sparkline } from './sparkline.ts';
import { type TextKey, text } from './text/text.ts';

/** A label, the newest value, and its graph. */
export class Figure {
  readonly element: HTMLElement;
  readonly sparkline: Sparkline | null;
  readonly #key: TextKey;
  readonly #label = make('span', { class: 'figure-label' });
  readonly #value = make('span', { class: 'figure-value' });

  constructor(key: TextKey, sparkline: Sparkline | null = null) {
    this.#key = key;
    this.sparkline = sparkline;
    this.element = make('div', { class: 'figure' }, this.#label, this.#value);
    if (sparkline !== null) this.element.append(sparkline.element);
  }

  set value(value: string) {
    setText(this.#value, value);
  }

  translate(): void {
    setText(this.#label, text(this.#key));
  }
}
