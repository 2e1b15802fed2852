import { ERROR_TITLES, type ErrorName, type MillraceError } from '../protocol/error.ts';
import type { Problem } from './schema.ts';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

/** The body of a failed HTTP request, RFC 9457; its status is `problem.status`. */
export function problemOf(error: MillraceError): Problem {
  return {
    type: problemType(error.errorName),
    title: ERROR_TITLES[error.errorName],
    status: error.httpStatus,
    detail: error.message,
    code: error.code,
    name: error.errorName,
  };
}

/** A tag URI (RFC 4151): a name that nobody can mistake for a page to load. */
export function problemType(name: ErrorName): string {
  return `tag:millrace.dev,2026:error:${name}`;
}
