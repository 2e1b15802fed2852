/** Of any number of values, so many drawn evenly (Vitter's algorithm R). */
export class Reservoir {
  readonly kept: number[] = [];
  count = 0;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  add(value: number): void {
    this.count += 1;
    if (this.kept.length < this.#size) this.kept.push(value);
    else {
      const at = Math.floor(Math.random() * this.count);
      if (at < this.#size) this.kept[at] = value;
    }
  }
}
