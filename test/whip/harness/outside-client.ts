import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from '../../harness/condition.ts';
import type { Perception } from '../../harness/page.ts';

const NOTHING_SEEN: Perception = {
  framesDecoded: 0,
  keyFramesDecoded: 0,
  width: 0,
  audioBytes: 0,
  videoBytes: 0,
  lost: 0,
  nacks: 0,
  retransmitted: 0,
  connection: 'new',
};

/** A client of WHIP or WHEP that is no browser and not ours, in a process of its own. */
export class OutsideClient {
  readonly #process: ChildProcess;
  readonly #errors: string[] = [];
  #seen = NOTHING_SEEN;

  /**
   * @param script one of the Python files beside this one
   * @param args `publish|play ENDPOINT [RED,GREEN,BLUE TONE_HZ]`
   */
  constructor(python: string, script: string, args: readonly string[]) {
    this.#process = spawn(python, [join(import.meta.dirname, script), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#process;
    if (stdout === null || stderr === null) throw new Error('its output was not asked for');
    createInterface({ input: stdout }).on('line', (line) => {
      if (line.startsWith('{')) this.#seen = { ...NOTHING_SEEN, ...JSON.parse(line) };
    });
    createInterface({ input: stderr }).on('line', (line) => this.#errors.push(line));
  }

  async perceive(): Promise<Perception> {
    if (this.#process.exitCode !== null) throw this.#failure();
    return this.#seen;
  }

  /**
   * Has it DELETE its session and end.
   * @throws Error with what it wrote, when it failed
   */
  async close(): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      const late = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(late);
    }
    if (this.#process.exitCode !== 0) throw this.#failure();
  }

  #failure(): Error {
    const { exitCode, signalCode } = this.#process;
    return new Error(`it ended with ${exitCode ?? signalCode}:\n${this.#errors.join('\n')}`);
  }
}

/** Waits until a stream carries media. */
export async function isLive(serverUrl: string, stream: string): Promise<void> {
  await eventually(`"${stream}" to be live`, async () => {
    const response = await fetch(`${serverUrl}/api/v1/streams/${encodeURIComponent(stream)}`);
    if (response.status !== 200) throw new Error(`${response.status}`);
    const { bitrate_bps: bitrateBps } = (await response.json()) as { bitrate_bps: number };
    return bitrateBps > 0;
  });
}
