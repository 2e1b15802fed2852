/**
 * The internal channel between two processes of a cluster: request and reply, with a deadline on each call
 * and a bound on calls in flight, and notices that need no reply. Everything carried is plain JSON data, so
 * the in-process adapter and the WebSocket adapter are interchangeable.
 */
export type CallMap = Record<string, { readonly request: unknown; readonly reply: unknown }>;

/** The calling end. */
export interface Channel<Calls extends CallMap, Notice> {
  /**
   * @throws MillraceError as the other end threw it; `timed_out` after `timeoutMs`; `too_many` when the bound
   *   on calls in flight is reached; `no_media_server` when the channel is closed.
   */
  call<Name extends keyof Calls & string>(
    name: Name,
    request: Calls[Name]['request'],
    options: { readonly timeoutMs: number },
  ): Promise<Calls[Name]['reply']>;
  /** Notices arrive in the order in which they were sent. Returns the way to stop listening. */
  onNotice(listener: (notice: Notice) => void): () => void;
  /** Called once, when the channel is gone for good. */
  onClose(listener: () => void): void;
  close(): void;
}

/** The answering end: one function a call. */
export type CallHandlers<Calls extends CallMap> = {
  readonly [Name in keyof Calls]: (request: Calls[Name]['request']) => Promise<Calls[Name]['reply']>;
};
