import type { StreamReport } from '../channel/media.ts';
import { describeValue } from '../protocol/described-value.ts';
import { MillraceError } from '../protocol/error.ts';
import { publicSessionId } from '../protocol/session-id.ts';
import { compareByCodePoint } from '../registry/order.ts';
import type { NodeId, SessionRecord } from '../registry/record.ts';
import { sessionResource, streamResource } from './resource.ts';
import {
  DEFAULT_PAGE_LIMIT,
  MAX_PAGE_LIMIT,
  type PageQuery,
  type SessionList,
  type StreamList,
  type StreamResource,
} from './schema.ts';

/**
 * Reads `after` and `limit` of a list's query; other parameters are ignored.
 * @throws MillraceError `invalid_field`
 */
export function parsePage(query: URLSearchParams): PageQuery {
  const after = query.get('after');
  const given = query.get('limit');
  const limit = given === null ? DEFAULT_PAGE_LIMIT : Number(given);
  if (given !== null && (!/^\d{1,6}$/.test(given) || limit < 1 || limit > MAX_PAGE_LIMIT)) {
    throw new MillraceError(
      'invalid_field',
      `"limit" is ${describeValue(given)}; it must be an integer from 1 to ${MAX_PAGE_LIMIT}`,
    );
  }
  return { limit, ...(after && { after }) };
}

/** What one media server answered to `streams` with the page's `after` and `limit`; null = it did not. */
export interface NodeStreams {
  readonly node: NodeId;
  readonly streams: readonly StreamReport[] | null;
}

/** One page of the streams of all media servers. Of two that have one stream the higher epoch is shown. */
export function streamList(answers: readonly NodeStreams[], limit: number): StreamList {
  const newest = new Map<string, { readonly epoch: number; readonly resource: StreamResource }>();
  for (const { node, streams } of answers) {
    for (const report of streams ?? []) {
      const known = newest.get(report.stream);
      if (known !== undefined && known.epoch >= report.epoch) continue;
      newest.set(report.stream, { epoch: report.epoch, resource: streamResource(report, node) });
    }
  }
  const all = [...newest.values()].map(({ resource }) => resource);
  all.sort((a, b) => compareByCodePoint(a.name, b.name));
  const streams = all.slice(0, limit);
  // A full answer may have more behind it.
  const more = all.length > limit || answers.some((answer) => (answer.streams?.length ?? 0) >= limit);
  return {
    streams,
    next: more ? (streams.at(-1)?.name ?? null) : null,
    unreachable_nodes: answers.filter(({ streams }) => streams === null).map(({ node }) => node),
  };
}

/** One page of all sessions, by public id, which is another order than that of the registry. */
export function sessionList(records: readonly SessionRecord[], page: PageQuery): SessionList {
  const { after, limit } = page;
  const behind = records
    .map((record) => ({ id: publicSessionId(record.id), record }))
    .filter(({ id }) => after === undefined || compareByCodePoint(id, after) > 0)
    .sort((a, b) => compareByCodePoint(a.id, b.id));
  const shown = behind.slice(0, limit);
  return {
    sessions: shown.map(({ record }) => sessionResource(record)),
    next: behind.length > limit ? (shown.at(-1)?.id ?? null) : null,
  };
}
