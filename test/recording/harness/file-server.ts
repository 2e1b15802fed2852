import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FileServer {
  /** An empty page, which may use the file. */
  readonly pageUrl: string;
  readonly fileUrl: string;
  close(): Promise<void>;
}

/** Serves one file as any web server does, in ranges (RFC 9110 section 14). */
export async function serveFile(path: string): Promise<FileServer> {
  const server = createServer((request, response) => {
    if (request.url !== '/file.webm') {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html>');
      return;
    }
    const { size } = statSync(path);
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const start = Number(from ?? 0);
    const end = to ? Math.min(Number(to), size - 1) : size - 1;
    const head = { 'content-type': 'video/webm', 'accept-ranges': 'bytes' };
    if (start > end) {
      response.writeHead(416, { ...head, 'content-range': `bytes */${size}` }).end();
      return;
    }
    const range = from === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${size}` };
    response.writeHead(from === undefined ? 200 : 206, {
      ...head,
      ...range,
      'content-length': end - start + 1,
    });
    createReadStream(path, { start, end })
      .on('error', () => response.destroy())
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    pageUrl: `http://127.0.0.1:${port}/`,
    fileUrl: `http://127.0.0.1:${port}/file.webm`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
