import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

/** A file as it is served. */
export interface Asset {
  readonly body: Buffer;
  /** Media type, RFC 9110 section 8.3. */
  readonly type: string;
  /** Entity tag with its quotes, RFC 9110 section 8.8.3. */
  readonly etag: string;
}

/** By the exact path of a URL: what is not listed cannot be reached, whatever a path says. */
export type Assets = ReadonlyMap<string, Asset>;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

export function asset(body: Buffer, extension: string): Asset {
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return { body, type: TYPES[extension] ?? 'application/octet-stream', etag: `"${digest}"` };
}

/**
 * Reads all files below a directory; hidden ones are left out, and links are not followed.
 * @param mount path that the directory stands for, such as `/` or `/client/`; its index.html is served there too
 */
export async function readAssets(directory: string, mount = '/'): Promise<Map<string, Asset>> {
  const assets = new Map<string, Asset>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const parts = relative(directory, file).split(sep);
    if (parts.some((part) => part.startsWith('.'))) continue;
    const found = asset(await readFile(file), extname(entry.name));
    const path = mount + parts.map(encodeURIComponent).join('/');
    assets.set(path, found);
    if (entry.name === 'index.html') assets.set(path.slice(0, -'index.html'.length), found);
  }
  return assets;
}
