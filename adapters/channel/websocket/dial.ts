import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import WebSocket, { type ClientOptions } from 'ws';
import { CLOSE_TIMEOUT_MS, type Gone } from './gone.ts';
import type { ChannelAuthority } from './tls.ts';
import { subprotocols } from './version.ts';

/** Of a connection, in the opening handshake; a repeated one asks to resume it. */
export const CONNECTION_HEADER = 'millrace-connection';
/** How many messages the sender of this header has; in requests, only of those that resume. */
export const RECEIVED_HEADER = 'millrace-received';

/** Which process answers, in answers to opening handshakes: it is another one after each start. */
export const PROCESS_HEADER = 'millrace-process';

/** The HTTP status that answers whoever wants to resume what is not there. */
export const UNKNOWN_CONNECTION = 410;

/** A refusal's text, for the log. */
const MAX_REFUSAL_CHARACTERS = 200;

export interface DialOptions {
  readonly url: string;
  readonly token: () => Promise<string | undefined>;
  /** For `wss://`; with a certificate, or without one. */
  readonly tls?: ChannelAuthority;
  readonly versions: readonly number[];
  readonly headers: Readonly<Record<string, string>>;
  readonly maxMessageBytes: number;
  readonly timeoutMs: number;
  /** What the process said in `PROCESS_HEADER` when the connection was opened; absent = it is to be opened. */
  readonly resumes?: string | undefined;
  readonly onOpen: (socket: WebSocket, answer: OpenAnswer) => void;
  readonly onFailed: (gone: Gone) => void;
}

export interface OpenAnswer {
  /** What the WebSocket stands on. */
  readonly raw: Socket;
  /** How many messages the other end has. */
  readonly received: number;
  readonly process: string;
}

/** One attempt to open a socket. @returns the way to give it up, after which nothing is told */
export function dial(options: DialOptions): () => void {
  let socket: WebSocket | undefined;
  let done = false;
  const finish = (tell: () => void) => {
    if (done) return;
    done = true;
    clearTimeout(deadline);
    tell();
  };
  const fail = (gone: Gone) =>
    finish(() => {
      socket?.terminate();
      options.onFailed(gone);
    });
  const { timeoutMs } = options;
  const deadline = setTimeout(
    () => fail({ why: 'silent', detail: `not open within ${timeoutMs} ms` }),
    timeoutMs,
  );

  options.token().then(
    (token) => {
      if (done) return;
      socket = open(options, token, fail, (answer) => finish(() => socket && options.onOpen(socket, answer)));
    },
    (error: unknown) => fail({ why: 'rejected', detail: `there is no token for it: ${String(error)}` }),
  );
  return () => finish(() => socket?.terminate());
}

function open(
  { url, tls, versions, headers, maxMessageBytes, resumes }: DialOptions,
  token: string | undefined,
  onFailed: (gone: Gone) => void,
  onOpen: (answer: OpenAnswer) => void,
): WebSocket {
  const socketOptions: object = {
    headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
    // The authority is the cluster's own: whoever has a certificate of it is the right one.
    ...(tls && { ...tls, checkServerIdentity: () => undefined }),
  };
  // The types lack what `ws` and Node have: `closeTimeout`, and a check that returns what is wrong.
  const socket = new WebSocket(url, subprotocols(versions), socketOptions as ClientOptions);
  let upgrade: IncomingMessage | undefined;
  socket.once('upgrade', (response) => {
    upgrade = response;
  });
  socket.once('unexpected-response', (request, response) => {
    void refusalText(response).then((text) => {
      onFailed({ why: refusalOf(response, resumes), detail: `${response.statusCode} ${text}`.trim() });
      request.destroy();
    });
  });
  // Stays for as long as the socket: one that is given up tells of it by an error.
  socket.on('error', (error) => onFailed(failureOf(error)));
  socket.once('open', () => {
    if (upgrade === undefined) return;
    onOpen({
      raw: upgrade.socket,
      received: readCount(upgrade.headers[RECEIVED_HEADER]) ?? 0,
      process: String(upgrade.headers[PROCESS_HEADER]),
    });
  });
  return socket;
}

/** A number of messages, as its header says it. */
export function readCount(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

function refusalOf({ statusCode, headers }: IncomingMessage, resumes: string | undefined): Gone['why'] {
  if (statusCode !== UNKNOWN_CONNECTION) return 'rejected';
  return headers[PROCESS_HEADER] === resumes ? 'expired' : 'replaced';
}

function failureOf({ code, message }: NodeJS.ErrnoException): Gone {
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return { why: 'refused', detail: message };
  const silent = code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ETIMEDOUT';
  return { why: silent ? 'silent' : 'reset', detail: message };
}

async function refusalText(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  try {
    for await (const part of response) {
      text += part;
      if (text.length > MAX_REFUSAL_CHARACTERS) break;
    }
  } catch {
    // Cut off: the status says enough.
  }
  return text.slice(0, MAX_REFUSAL_CHARACTERS).trim();
}
