import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MillraceError } from '../protocol/error.ts';
import type { CallHandlers, Channel } from './channel.ts';

/** The calls and notices that the suite uses. Every handler is given to `connect`, nothing else answers. */
export type TrialCalls = {
  echo: { request: { readonly value: unknown }; reply: { readonly value: unknown } };
  wait: { request: { readonly name: string }; reply: { readonly name: string } };
};
export interface TrialNotice {
  readonly number: number;
}

/** Both ends of one connection. */
export interface TrialConnection {
  readonly channel: Channel<TrialCalls, TrialNotice>;
  /** Sends a notice from the answering end. */
  notify(notice: TrialNotice): void;
  /** Frees what the trial took, sockets and ports. */
  stop(): Promise<void>;
}

export interface TrialOptions {
  readonly handlers: CallHandlers<TrialCalls>;
  readonly maxCallsInFlight: number;
  /** Told at the answering end of what a handler threw that is not in the error table. */
  readonly onError: (error: unknown) => void;
}

export type Connect = (options: TrialOptions) => Promise<TrialConnection>;

export type Open = (
  context: TestContext,
  options?: Partial<TrialOptions>,
) => Promise<TrialConnection & { readonly waiting: WaitingCalls; readonly errors: unknown[] }>;

/** Far longer than anything takes that is expected to happen. */
export const LONG_MS = 10_000;
export const SHORT_MS = 30;

export const echoing: CallHandlers<TrialCalls> = {
  echo: async ({ value }) => ({ value }),
  wait: async ({ name }) => ({ name }),
};

/** A connection whose `wait` calls are answered when the test says so; it is stopped when the test ends. */
export async function openTrial(context: TestContext, connect: Connect, options: Partial<TrialOptions>) {
  const waiting = new WaitingCalls();
  const errors: unknown[] = [];
  const connection = await connect({
    handlers: { ...echoing, wait: ({ name }) => waiting.add(name) },
    maxCallsInFlight: 100,
    onError: (error) => errors.push(error),
    ...options,
  });
  context.after(async () => {
    connection.channel.close();
    waiting.answerAll();
    await connection.stop();
  });
  return { ...connection, waiting, errors };
}

/** Calls of `wait` that were received and are not answered yet. */
class WaitingCalls {
  readonly #calls = new Map<string, { readonly answer: () => void }>();

  add(name: string): Promise<{ readonly name: string }> {
    return new Promise((resolve) => this.#calls.set(name, { answer: () => resolve({ name }) }));
  }

  async named(name: string): Promise<{ readonly answer: () => void }> {
    await until(() => this.#calls.has(name));
    const call = this.#calls.get(name);
    assert.ok(call);
    return call;
  }

  answerAll(): void {
    for (const call of this.#calls.values()) call.answer();
  }
}

export function collect(channel: Channel<TrialCalls, TrialNotice>): number[] {
  const heard: number[] = [];
  channel.onNotice(({ number }) => heard.push(number));
  return heard;
}

export function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

export function named(errorName: string) {
  return (error: unknown) => error instanceof MillraceError && error.errorName === errorName;
}

export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + LONG_MS;
  while (!condition()) {
    assert.ok(Date.now() < deadline, `still not so after ${LONG_MS} ms: ${condition}`);
    await sleep(2);
  }
}
