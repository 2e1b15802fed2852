import type { MediaRole, SignalingRole } from '../../cluster-processes/harness/cluster.ts';
import { succeeded } from '../../harness/viewing.ts';
import { offer } from '../../media-server/harness/rig.ts';
import { TestClient } from '../../signaling/client.ts';

/** A client that speaks the protocol and sends no media: a media server waits half a minute for that. */
export interface LightClient {
  readonly stream: string;
  readonly at: SignalingRole;
  readonly client: TestClient;
}

/** Clients that publish a stream each, in turns at the signaling processes. */
export class Crowd {
  readonly members: LightClient[] = [];

  static async gather(fronts: readonly SignalingRole[], prefix: string, count: number): Promise<Crowd> {
    const crowd = new Crowd();
    for (let index = 0; index < count; index += fronts.length) {
      const few = fronts.slice(0, count - index);
      await Promise.all(few.map((at, offset) => crowd.#join(at, `${prefix}-${index + offset}`)));
    }
    return crowd;
  }

  async #join(at: SignalingRole, stream: string): Promise<void> {
    const client = await TestClient.connect(`${at.wsUrl}/?events=1`);
    succeeded(await client.publish(stream, offer('chromium-publish-audio-only')));
    this.members.push({ stream, at, client });
  }

  get streams(): readonly string[] {
    return this.members.map(({ stream }) => stream);
  }

  /** What they were told without having asked, and whose socket is not open any more. */
  get troubled(): readonly string[] {
    return this.members
      .filter(({ client }) => client.unread > 0 || client.socket.readyState !== client.socket.OPEN)
      .map(({ stream }) => stream);
  }

  async leave(): Promise<void> {
    await Promise.all(this.members.map(({ client }) => client.leave()));
  }
}

/** What the logs say has ended. */
export function endings(roles: readonly (SignalingRole | MediaRole)[]): readonly string[] {
  return roles
    .flatMap(({ log }) => log)
    .filter(({ msg }) => ENDED.has(msg))
    .map(({ msg, stream, session, reason }) => [msg, stream ?? session, reason].join(' '));
}

const ENDED = new Set([
  'stream ended',
  'publication ended',
  'publication lost',
  'play ended',
  'session released',
  'media server lost',
]);
