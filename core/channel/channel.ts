/**
 * The internal channel between two processes of a cluster: request and reply, with a deadline on each call
 * and a bound on calls in flight, and notices that need no reply. Everything carried is plain JSON data, so
 * the in-process adapter and the WebSocket adapter are interchangeable.
 *
 * Replies and notices arrive in the order in which they were sent, never before the function that asked for
 * them or listens to them has returned. Calls run at once; a later one may be answered first.
 */
export type CallMap = Record<string, { readonly request: unknown; readonly reply: unknown }>;

/** The calling end. */
export interface Channel<Calls extends CallMap, Notice> {
  /**
   * @throws MillraceError as the other end threw it, with `errorName` and message; `internal` for what else
   *   it threw, and for a request or reply that is not plain data; `timed_out` after `timeoutMs`, and a
   *   later reply is ignored; `too_many` when the bound on calls in flight is reached; `no_media_server`
   *   when the channel is closed.
   */
  call<Name extends keyof Calls & string>(
    name: Name,
    request: Calls[Name]['request'],
    options: { readonly timeoutMs: number },
  ): Promise<Calls[Name]['reply']>;
  /** The listener must not throw. Returns the way to stop listening. */
  onNotice(listener: (notice: Notice) => void): () => void;
  /** Called once, when the channel is gone for good; soon, if it is gone already. */
  onClose(listener: (end: ChannelEnd) => void): void;
  /** Calls in flight fail with `no_media_server`. Once closed, closing does nothing. */
  close(): void;
}

/** How a channel came to its end. */
export type ChannelEnd =
  /** It was never open. Of the process at the other end that says nothing. */
  | 'unreached'
  /** One of the two ends closed it. */
  | 'closed'
  /**
   * On evidence that the process at the other end is dead: its connection broke and another was refused, or
   * three heartbeats in a row went unanswered.
   */
  | 'dead';

/** The answering end: one function a call. */
export type CallHandlers<Calls extends CallMap> = {
  readonly [Name in keyof Calls]: (request: Calls[Name]['request']) => Promise<Calls[Name]['reply']>;
};
