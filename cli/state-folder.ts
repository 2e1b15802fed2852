import { homedir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** `$XDG_STATE_HOME/millrace`, or what stands for it where that is not set. */
export function stateFolder(environment: Readonly<Record<string, string | undefined>>): string {
  const xdg = environment.XDG_STATE_HOME;
  // The XDG base directory specification says to ignore a relative path.
  const state =
    xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir() || userInfo().homedir, '.local', 'state');
  return join(state, 'millrace');
}
