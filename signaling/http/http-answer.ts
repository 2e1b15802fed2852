import { STATUS_CODES } from 'node:http';
import { PROBLEM_MEDIA_TYPE } from '../../core/api/index.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A problem that is no more than its HTTP status (RFC 9457 section 4.2.1). */
export function statusProblem(
  status: number,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const problem = { type: 'about:blank', title: STATUS_CODES[status], status, detail };
  return {
    status,
    headers: { ...headers, 'Content-Type': PROBLEM_MEDIA_TYPE },
    body: JSON.stringify(problem),
  };
}
