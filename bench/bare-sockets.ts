// The peer of idle sessions: WebSockets with the same library and options, over TLS and without, where each
// message is answered at once and nothing is kept.
import { createServer as createPlainServer, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { makeSelfSigned } from '../cli/tls/self-signed.ts';

function serve(server: Server): Promise<number> {
  const sockets = new WebSocketServer({ server, perMessageDeflate: false, clientTracking: false });
  sockets.on('connection', (socket) => {
    socket.on('message', (text) => {
      const { method, stream } = JSON.parse(String(text));
      const reply = { version: '1.0', err: 0, err_msg: 'succeed', method, session: 'bare', stream, data: {} };
      socket.send(JSON.stringify(reply));
    });
  });
  return new Promise((resolve) =>
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
      resolve((server.address() as AddressInfo).port),
    ),
  );
}

const dayMs = 86_400_000;
const certificate = makeSelfSigned({
  names: ['localhost', '127.0.0.1'],
  notBefore: new Date(Date.now() - dayMs),
  notAfter: new Date(Date.now() + dayMs),
});
process.once('disconnect', () => process.exit(0));
process.send?.({
  port: await serve(createPlainServer()),
  securePort: await serve(createServer(certificate)),
});
