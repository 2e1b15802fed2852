import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A line of the load client's output; which other fields it has depends on its `event`. */
export type LoadEvent = { readonly event: string } & Readonly<Record<string, number>>;

const REPLY_TIMEOUT_MS = 300_000;

/** The program of load/, built by setup. It ends when its input does, with this process at the latest. */
export class LoadClient {
  readonly #child;
  readonly #events: LoadEvent[] = [];
  #wake: () => void = () => {};
  #complaint = '';
  #exit: number | null | undefined;

  constructor(command: string, flags: Readonly<Record<string, string | number | boolean>>) {
    const program = process.env.BENCH_LOAD_CLIENT;
    if (!program)
      throw new Error('BENCH_LOAD_CLIENT names no load client; npm run bench builds it and sets this');
    const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
    this.#child = spawn(program, [command, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Less time in its garbage collection leaves more of the machine to the server.
      env: { ...process.env, GOGC: '400' },
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#events.push(JSON.parse(line));
      this.#wake();
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-4096);
    });
    this.#child.on('close', (code) => {
      this.#exit = code;
      this.#wake();
    });
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** @throws Error with its own words when it ends instead, or takes too long */
  async next(event: string): Promise<LoadEvent> {
    const deadline = Date.now() + REPLY_TIMEOUT_MS;
    for (;;) {
      const found = this.#events.shift();
      if (found?.event === event) return found;
      if (found) throw new Error(`the load client said ${JSON.stringify(found)}, not ${event}`);
      if (this.#exit !== undefined) throw new Error(`the load client ended: ${this.#complaint}`);
      if (Date.now() > deadline) throw new Error(`the load client did not say ${event} in time`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Sends a word and waits for what it is answered with. */
  ask(word: string | number, event: string): Promise<LoadEvent> {
    this.#child.stdin.write(`${word}\n`);
    return this.next(event);
  }

  async end(): Promise<void> {
    this.#child.stdin.end();
    while (this.#exit === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
