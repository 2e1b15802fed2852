import { Readers } from './readers.ts';
import { SourceConnection } from './source-connection.ts';

/**
 * A muxer that may not write yet: it sees to it that a key frame comes, so that it can go on from one, and the
 * receiver keeps everything for it, as nothing is said to be durable.
 */
export class WaitingConnection {
  readonly #source: SourceConnection;

  constructor(socketPath: string) {
    const readers = new Readers();
    this.#source = new SourceConnection({
      socketPath,
      onEvent: (event) => {
        if (event.type === 'hello') readers.clear();
        if (event.type === 'track') readers.begin(event);
        if (event.type === 'rtp') readers.packet(event);
        if (event.type === 'muted') readers.mute(event.track, event.muted, event.atMs);
        if (event.type === 'ended') readers.end(event.track, event.atMs);
        if (event.type !== 'tick') return;
        readers.tick(event.atMs);
        for (const track of readers.starving(event.atMs)) this.#source.request({ type: 'key-frame', track });
      },
      onLost: () => {},
    });
  }

  close(): void {
    this.#source.close();
  }
}
