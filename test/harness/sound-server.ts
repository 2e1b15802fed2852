import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './condition.ts';

let running: Promise<string> | undefined;

/**
 * A PulseAudio server with a null sink, one for the test process: without a device to play to, Firefox never
 * starts an AudioContext.
 *
 * @returns the value for PULSE_SERVER
 */
export function soundServer(): Promise<string> {
  running ??= start();
  return running;
}

async function start(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sound-'));
  const socket = join(folder, 'socket');
  const modules = ['module-null-sink', `module-native-protocol-unix auth-anonymous=1 socket=${socket}`];
  const child: ChildProcess = spawn(
    'pulseaudio',
    [
      '-n',
      '--daemonize=no',
      '--exit-idle-time=-1',
      '--use-pid-file=no',
      ...modules.flatMap((name) => ['-L', name]),
    ],
    { stdio: 'ignore', env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder } },
  );
  child.unref();
  process.once('exit', () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually('the sound server', () => {
    if (child.exitCode !== null) throw new Error(`pulseaudio ended with ${child.exitCode}`);
    return existsSync(socket);
  });
  return `unix:${socket}`;
}
