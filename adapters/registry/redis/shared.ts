/**
 * One answer for all who ask in the same turn of the event loop. It is asked for after all of them have come, so
 * each gets one as fresh as its own would be; under load hundreds come in a turn.
 */
export class Shared<Answer> {
  readonly #ask: () => Promise<Answer>;
  #next: Promise<Answer> | undefined;

  constructor(ask: () => Promise<Answer>) {
    this.#ask = ask;
  }

  ask(): Promise<Answer> {
    this.#next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#next = undefined;
        resolve(this.#ask());
      });
    });
    return this.#next;
  }
}
