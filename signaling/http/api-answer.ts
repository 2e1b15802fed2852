import type { IncomingMessage } from 'node:http';
import { OPENAPI_PATH, PROBLEM_MEDIA_TYPE } from '../../core/api/index.ts';

/** What /api/v1 answers. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON; absent = none. */
  readonly body?: unknown;
}

export const NOT_FOUND: ApiAnswer = {
  status: 404,
  headers: { 'Content-Type': PROBLEM_MEDIA_TYPE },
  body: { type: 'about:blank', title: 'Not Found', status: 404, detail: `see ${OPENAPI_PATH}` },
};

export function notAllowed(methods: string): ApiAnswer {
  return {
    status: 405,
    headers: { 'Content-Type': PROBLEM_MEDIA_TYPE, Allow: methods },
    body: { type: 'about:blank', title: 'Method Not Allowed', status: 405, detail: `use ${methods}` },
  };
}

export function reading(request: IncomingMessage): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}
