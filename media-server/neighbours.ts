import type { PipeChannel } from '../core/channel/pipes.ts';
import { Neighbour } from './neighbour.ts';
import type { MediaServerSettings } from './settings.ts';

/** The media servers that this one pulls streams from, each for as long as its channel lasts. */
export class Neighbours {
  readonly #connect: (address: string) => PipeChannel;
  readonly #settings: MediaServerSettings;
  readonly #all = new Map<string, Neighbour>();

  constructor(connect: (address: string) => PipeChannel, settings: MediaServerSettings) {
    this.#connect = connect;
    this.#settings = settings;
  }

  /** @param address of its internal channel */
  at(address: string): Neighbour {
    const known = this.#all.get(address);
    if (known) return known;
    const neighbour: Neighbour = new Neighbour(this.#connect(address), this.#settings, () => {
      if (this.#all.get(address) === neighbour) this.#all.delete(address);
    });
    this.#all.set(address, neighbour);
    return neighbour;
  }

  get pipes(): number {
    return [...this.#all.values()].reduce((sum, { pipes }) => sum + pipes, 0);
  }

  close(): void {
    for (const neighbour of [...this.#all.values()]) neighbour.close();
  }
}
