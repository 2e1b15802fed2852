import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const VERSION = '1.9.0';

/**
 * A Python that has aiortc, in a virtual environment of its own in the user's cache; made when it is not there.
 * @throws Error with pip's words
 */
export function aiortcPython(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const home = join(cache, 'millrace', 'test');
  const folder = join(home, `aiortc-${VERSION}`);
  const python = join(folder, 'bin', 'python');
  if (existsSync(python)) return python;
  // Made under another name, so that one that was broken off is never taken for whole.
  const unfinished = `${folder}-${process.pid}`;
  mkdirSync(home, { recursive: true });
  rmSync(unfinished, { recursive: true, force: true });
  run('python3', ['-m', 'venv', unfinished]);
  run(join(unfinished, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', `aiortc==${VERSION}`]);
  renameSync(unfinished, folder);
  return python;
}

function run(program: string, args: readonly string[]): void {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 300_000 });
  if (status === 0) return;
  throw new Error(`${program} ${args.join(' ')} failed: ${error?.message ?? ''}\n${stdout}${stderr}`);
}
