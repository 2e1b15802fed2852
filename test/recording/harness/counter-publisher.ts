import { readFileSync } from 'node:fs';
import type { DocumentClientPage, ReplyMessage } from '../../harness/page.ts';

const COUNTER_SOURCE = readFileSync(new URL('./counter-source.js', import.meta.url), 'utf8');

export interface CounterOptions {
  /** As documentClient.publish takes them. */
  readonly codec?: string;
  readonly simulcast?: boolean;
  readonly scalabilityMode?: string;
  readonly data?: object;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  /** Costs the encoder all of its bitrate. */
  readonly noise?: boolean;
}

/**
 * Publishes counter-source.js; the page has it as `source` and the publication as `publication`. Published
 * again, the same source goes on.
 */
export async function publishCounter(
  client: DocumentClientPage,
  stream: string,
  { width, height, fps, noise, ...options }: CounterOptions = {},
): Promise<ReplyMessage | undefined> {
  await client.page.evaluate(COUNTER_SOURCE);
  const look = JSON.stringify({ width, height, fps, noise });
  return client.run(`(async () => {
    globalThis.source ??= await counterSource.start(${look});
    globalThis.publication = await documentClient.publish(session, ${JSON.stringify(stream)}, { source, ...${JSON.stringify(options)} });
    return publication.reply;
  })()`);
}

/** Counters that the page's source drew until now. */
export function drawnCounters(client: DocumentClientPage): Promise<readonly number[]> {
  return client.run('source.drawn');
}
