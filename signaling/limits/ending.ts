import type { Duplex } from 'node:stream';

const LINGER_MS = 1000;

/** Sends the last words and closes, whether or not the other end does: half a connection is one too. */
export function endWith(socket: Duplex, text: string): void {
  socket.on('error', () => undefined);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  // What was sent and not read would cut the words off, as the system then resets the connection.
  socket.resume();
  socket.end(text);
}
