import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { extname, join, relative } from 'node:path';

/** One file of the page as it is served. */
export interface WebAsset {
  readonly body: Buffer;
  /** Media type for `Content-Type`. */
  readonly type: string;
}
/** By URL path, e.g. `/` and `/main.js`. */
export type WebAssets = ReadonlyMap<string, WebAsset>;

const PAGE = join(import.meta.dirname, 'page');
const CLIENT = join(import.meta.dirname, '../client/src');
const ENTRIES = ['main.ts', 'ticker.ts', 'style.css'];
const COPIED = ['index.html', 'favicon.svg'];
/** To be raised when the way of bundling changes, which no hash of the sources shows. */
const RECIPE = '1';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.map': 'application/json',
};

/**
 * The page with the client, bundled for browsers. Bundling takes a second; the result is kept by a hash of the
 * sources under `millrace/client/` of the cache folder, and found there by the next start. Where the cache cannot be written,
 * each start bundles anew.
 *
 * @param cacheDir the user's cache folder when absent
 */
export async function bundleWeb(cacheDir: string = userCacheDir()): Promise<Map<string, WebAsset>> {
  const sources = [...(await filesIn(PAGE)), ...(await filesIn(CLIENT))];
  const kept = join(cacheDir, 'millrace', 'client', await hashOf(sources));
  return (await readKept(kept)) ?? (await keep(kept, await bundle()));
}

async function bundle(): Promise<Map<string, WebAsset>> {
  // Loaded only here: a start that finds its bundle needs no bundler.
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: ENTRIES.map((name) => join(PAGE, name)),
    outdir: '/',
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: ['es2022'],
    // The client's own sources instead of its published form, which nobody has built here.
    conditions: ['millrace-source'],
    minify: true,
    sourcemap: true,
    legalComments: 'none',
    logLevel: 'silent',
  });
  const assets = new Map<string, WebAsset>();
  for (const file of outputFiles) add(assets, relative('/', file.path), Buffer.from(file.contents));
  for (const name of COPIED) add(assets, name, await readFile(join(PAGE, name)));
  return assets;
}

function add(assets: Map<string, WebAsset>, name: string, body: Buffer): void {
  const type = TYPES[extname(name)];
  if (type === undefined) throw new Error(`web/page holds ${name}, whose media type is not known here`);
  assets.set(name === 'index.html' ? '/' : `/${name}`, { body, type });
}

async function readKept(folder: string): Promise<Map<string, WebAsset> | null> {
  try {
    const assets = new Map<string, WebAsset>();
    for (const name of await readdir(folder)) add(assets, name, await readFile(join(folder, name)));
    return assets.has('/') ? assets : null;
  } catch {
    // Not there, or not readable: then it is bundled.
    return null;
  }
}

/** Written beside and renamed, so that two starts at once never read half a bundle. */
async function keep(folder: string, assets: Map<string, WebAsset>): Promise<Map<string, WebAsset>> {
  const draft = `${folder}.${randomUUID()}`;
  try {
    await mkdir(draft, { recursive: true });
    for (const [path, { body }] of assets) {
      await writeFile(join(draft, path === '/' ? 'index.html' : path.slice(1)), body);
    }
    await rename(draft, folder);
  } catch {
    // A read-only cache costs the next start a second; a folder that is there already is another start's.
    await rm(draft, { recursive: true, force: true }).catch(() => {});
  }
  return assets;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function hashOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(RECIPE);
  const contents = await Promise.all(files.map((file) => readFile(file)));
  files.forEach((file, index) => {
    hash.update(`\0${relative(PAGE, file)}\0`).update(contents[index] ?? '');
  });
  return hash.digest('hex').slice(0, 24);
}

function userCacheDir(): string {
  return process.env.XDG_CACHE_HOME || join(homedir() || userInfo().homedir, '.cache');
}
