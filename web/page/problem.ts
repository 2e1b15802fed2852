import { MillraceError } from '@millrace/client';
import { make } from './element.ts';
import { InsecureContextError } from './source.ts';
import { text, textOf } from './text/text.ts';

/** A failure in words: what happened, what to do, and the code for whoever is asked for help. */
export interface Problem {
  /** Finds the texts `error_<name>` and `advice_<name>`. */
  readonly name: string;
  /** 0 when no server was involved. */
  readonly code: number;
  readonly detail: string;
}

export function problemOf(error: unknown): Problem {
  if (error instanceof MillraceError) {
    return { name: error.errorName, code: error.code, detail: error.message };
  }
  if (error instanceof DOMException) {
    return { name: sourceProblem(error.name), code: 0, detail: `${error.name}: ${error.message}` };
  }
  if (error instanceof InsecureContextError)
    return { name: 'camera_insecure', code: 0, detail: error.message };
  return { name: 'default', code: 0, detail: error instanceof Error ? error.message : String(error) };
}

/** By the error table's HTTP status: the visitor shows no usable token, or one that does not reach this far. */
export function refusalOf(code: number): 'token' | 'permission' | null {
  const status = Math.floor(code / 100);
  if (status === 401) return 'token';
  return status === 403 ? 'permission' : null;
}

/** What getUserMedia and getDisplayMedia say (W3C Media Capture and Streams, section 10.2.2). */
function sourceProblem(name: string): string {
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'camera_denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'camera_missing';
  if (name === 'NotReadableError' || name === 'AbortError') return 'camera_busy';
  return 'default';
}

/** Shows a problem in an element with role=alert, or clears it. @param title instead of the error's own */
export function showProblem(alert: HTMLElement, problem: Problem | null, title?: string): void {
  if (problem === null) {
    alert.replaceChildren();
    return;
  }
  const { name, code, detail } = problem;
  const coded =
    code === 0 ? text('errorCodeLocal', { name, detail }) : text('errorCode', { code, name, detail });
  alert.replaceChildren(
    make(
      'div',
      {},
      make('strong', {}, title ?? textOf(`error_${name}`, 'error_default')),
      // The spaces are for those who hear it: to them lines are no pauses.
      ` ${textOf(`advice_${name}`, 'advice_default')} `,
      make('span', { class: 'code' }, coded),
    ),
  );
}

/** Shows why a stream ended, where the reason is all there is to say. */
export function showEnd(alert: HTMLElement, title: string, reason: string): void {
  alert.replaceChildren(make('div', {}, make('strong', {}, title), ` ${textOf(`reason_${reason}`)}`));
}
