// Shows that work goes on: one line rewritten each second on a terminal; a line a stage and a minute elsewhere.
const QUIET_MS = 60_000;

export class Progress {
  #what;
  #expected;
  #stage = '';
  #startedMs = performance.now();
  #saidMs = 0;
  #timer;
  #out = process.stderr;

  /** @param {string} what @param {string} expected how long it takes in all, in words */
  constructor(what, expected) {
    this.#what = what;
    this.#expected = expected;
    this.#say();
    this.#timer = setInterval(() => this.#tick(), 1000);
    this.#timer.unref();
  }

  stage(stage) {
    if (stage === this.#stage) return;
    this.#stage = stage;
    this.#say();
  }

  /** @param {string} outcome the last word, such as `done` */
  stop(outcome) {
    clearInterval(this.#timer);
    this.#stage = outcome;
    this.#expected = '';
    this.#say();
    if (this.#out.isTTY) this.#out.write('\n');
  }

  #tick() {
    if (this.#out.isTTY || performance.now() - this.#saidMs >= QUIET_MS) this.#say();
  }

  #say() {
    this.#saidMs = performance.now();
    const elapsed = minutes(this.#saidMs - this.#startedMs);
    const parts = [
      this.#what,
      this.#stage,
      this.#expected === '' ? elapsed : `${elapsed} (usually ${this.#expected} in all)`,
    ].filter((part) => part !== '');
    const line = parts.join(' · ');
    if (this.#out.isTTY) this.#out.write(`\r\x1b[2K${line.slice(0, (this.#out.columns || 80) - 1)}`);
    else this.#out.write(`${line}\n`);
  }
}

/** 65_000 -> `1:05` */
function minutes(ms) {
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
