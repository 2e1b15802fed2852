import type { Browser } from 'puppeteer-core';
import type { SessionId } from '../../../core/protocol/session-id.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import { type DocumentClientPage, openDocumentClient } from '../../harness/page.ts';
import { type Rig, session } from '../../media-server/harness/rig.ts';

/** A browser that publishes to a rig's media server, without signaling. */
export interface Publisher {
  readonly session: SessionId;
  readonly page: DocumentClientPage;
  /** Publishes on another peer connection each time, with the stream's one epoch. */
  publish(options?: object): Promise<void>;
  /** The newest peer connection offers again, after `change` was run with it as `pc`. */
  renegotiate(change: string): Promise<void>;
  mute(state: { readonly audio?: boolean; readonly video?: boolean }): Promise<void>;
  /** What it published was lost with its worker: the next publish claims the stream anew. */
  forget(): Promise<void>;
  /** Closes the newest peer connection and the stream. */
  stop(): Promise<void>;
}

interface RigRequest {
  readonly method: string;
  readonly sdp: string;
}

/** Opens a page; `stream` is claimed for it when it publishes first. */
export async function openPublisher(browser: Browser, rig: Rig, stream: string): Promise<Publisher> {
  const own = session();
  const page = await openDocumentClient(browser, 'http://localhost');
  let epoch: number | undefined;
  await page.page.exposeFunction('rigPublish', async ({ sdp }: RigRequest) => {
    const published = await rig.publish(stream, own, sdp, epoch === undefined ? {} : { epoch });
    epoch = published.epoch;
    return published.sdp;
  });
  await page.page.evaluate(`globalThis.session = {
    request: async (method, stream, { sdp }) => ({ err: 0, data: { sdp: await rigPublish({ method, sdp }) } }),
  }`);
  const name = stream as StreamName;
  return {
    session: own,
    page,
    async publish(options = {}) {
      await page.publish(stream, options);
    },
    async renegotiate(change) {
      await page.run(`(async ({ pc, source }) => { ${change} })(publication)`);
      await page.run(`documentClient.offerAgain(session, 'stream.publish', '', publication)`);
    },
    async mute(state) {
      await rig.handlers.mute({ stream: name, session: own, role: 'publish', ...state });
    },
    async forget() {
      if (epoch !== undefined) await rig.registry.releaseStream(name, epoch);
      epoch = undefined;
    },
    async stop() {
      await rig.handlers.close({ stream: name, session: own, role: 'publish' });
      epoch = undefined;
      await page.run(`publication.pc.close()`);
    },
  };
}
