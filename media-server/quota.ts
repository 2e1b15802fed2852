import { MillraceError } from '../core/protocol/error.ts';

/** A bound on how many of something there may be at once. */
export class Quota {
  readonly #what: string;
  readonly #limit: number;
  readonly #setting: string;
  #taken = 0;

  /**
   * @param what plural, for the message: `streams`
   * @param setting by which the limit is raised
   */
  constructor(what: string, limit: number, setting: string) {
    this.#what = what;
    this.#limit = limit;
    this.#setting = setting;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * @returns the way to give it back, which may be called more than once
   * @throws MillraceError `too_many`
   */
  take(): () => void {
    if (this.#taken >= this.#limit) {
      throw new MillraceError(
        'too_many',
        `too many ${this.#what}: this media server's limit is ${this.#limit}; end some, or raise ${this.#setting}`,
      );
    }
    this.#taken++;
    let given = false;
    return () => {
      if (!given) this.#taken--;
      given = true;
    };
  }
}
