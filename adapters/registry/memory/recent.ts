/** Remembers the entries that were set last, at most `limit` of them; the oldest is forgotten first. */
export class Recent<Key, Value> {
  readonly #limit: number;
  readonly #entries = new Map<Key, Value>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key); // a Map keeps the order of first insertion
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#limit) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  get(key: Key): Value | undefined {
    return this.#entries.get(key);
  }
}
