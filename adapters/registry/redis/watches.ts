import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { StreamChange } from '../../../core/registry/registry.ts';
import type { Calls } from './calls.ts';
import { changesChannel } from './keys.ts';
import type { Subscriber } from './subscriber.ts';
import { Watch } from './watch.ts';

/** Streams that are read in one call. */
const MAX_READ = 100;

/** Who waits for changes of which stream. */
export class Watches {
  readonly #prefix: string;
  readonly #calls: Calls;
  readonly #subscriber: Subscriber;
  readonly #channels = new Map<string, Set<Watch>>();
  #reading = false;

  constructor(options: {
    prefix: string;
    calls: Calls;
    /** Made of what this is to be told, and what it listens to. */
    subscriber: (
      tells: Pick<ConstructorParameters<typeof Subscriber>[0], 'channels' | 'onListening' | 'onMessage'>,
    ) => Subscriber;
  }) {
    this.#prefix = options.prefix;
    this.#calls = options.calls;
    this.#subscriber = options.subscriber({
      channels: () => [...this.#channels.keys()],
      onListening: () => this.renewAll(),
      onMessage: (channel, message) => {
        for (const watch of this.#channels.get(channel) ?? []) watch.hear(message);
      },
    });
  }

  add(name: StreamName, listener: (change: StreamChange) => void): () => void {
    const channel = changesChannel(this.#prefix, name);
    const watch = new Watch(name, listener);
    const watches = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, watches.add(watch));
    this.#subscriber.start();
    void this.#begin(channel);
    return () => {
      watch.stop();
      watches.delete(watch);
      if (watches.size > 0 || this.#channels.get(channel) !== watches) return;
      this.#channels.delete(channel);
      this.#subscriber.leave(channel);
    };
  }

  /** Changes may have been missed: all is looked at again. */
  renewAll(): void {
    for (const watch of this.#all()) watch.renew();
    void this.#readDue();
  }

  /** The registry answers: what could not be read before is read now. */
  beat(complete: boolean): void {
    if (complete) for (const watch of this.#all()) watch.renewIfDoubtful();
    void this.#readDue();
  }

  close(): void {
    for (const watch of this.#all()) watch.stop();
    this.#channels.clear();
    this.#subscriber.stop();
  }

  async #begin(channel: string): Promise<void> {
    if (await this.#subscriber.listen(channel)) await this.#readDue();
  }

  async #readDue(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#subscriber.isListening) {
        const due = [...this.#all()].filter((watch) => watch.isDue).slice(0, MAX_READ);
        if (due.length === 0) break;
        await this.#read(due);
      }
    } catch {
      // They stay due, for the next beat.
    } finally {
      this.#reading = false;
    }
  }

  async #read(due: readonly Watch[]): Promise<void> {
    for (const watch of due) watch.beginReading();
    try {
      const names = due.map(({ name }) => name);
      const [outcome, version, streams] = await this.#calls.run('find-streams', names);
      for (const [index, watch] of due.entries()) {
        const stream = (streams as readonly (string | null)[])[index] ?? undefined;
        watch.read(Number(version), stream, outcome === 'complete');
      }
    } catch (error) {
      for (const watch of due) watch.renew();
      throw error;
    }
  }

  *#all(): Iterable<Watch> {
    for (const watches of this.#channels.values()) yield* watches;
  }
}
