import { readFileSync } from 'node:fs';
import { parseArguments } from './arguments.ts';
import { helpText } from './help.ts';
import { SettingsError } from './mistake.ts';
import { readSettings } from './read-settings.ts';
import { settingsListing } from './settings-listing.ts';
import { StartError } from './start-error.ts';

/** Wrong settings, in difference to whatever else may hinder a start. */
const WRONG_SETTINGS_EXIT = 2;

/** What a person asks for. @param program how this program is started */
export async function runCommandLine(program: readonly [string, ...string[]]): Promise<void> {
  try {
    await run(program);
  } catch (error) {
    if (error instanceof SettingsError) {
      console.error(error.message);
      process.exit(WRONG_SETTINGS_EXIT);
    }
    // The roles say in their errors which setting to change; where that came from helps nobody but us.
    console.error(error instanceof Error ? startFailure(error) : error);
    process.exit(1);
  }
}

async function run(program: readonly [string, ...string[]]): Promise<void> {
  const args = parseArguments(process.argv.slice(2));
  if (args.command === 'help') return console.log(helpText());
  if (args.command === 'version') return console.log(packageVersion());
  if (args.command === 'doctor') {
    const { examine } = await import('./doctor/doctor.ts');
    const { report, exitCode } = await examine(args, process.env, packageVersion());
    process.exitCode = exitCode;
    return console.log(report);
  }
  const read = readSettings(args, process.env);
  if (args.command === 'settings') return console.log(settingsListing(read));
  if (args.command === 'token') {
    const { makeToken } = await import('./token-command.ts');
    const { token, summary } = await makeToken(args.tokenFlags, read.settings, Date.now());
    // Standard output has the token alone, for scripts.
    console.error(summary);
    return console.log(token);
  }
  // Imported late: mediasoup and the rest are not needed to say what is wrong with a setting.
  const surroundings = { environment: process.env, version: packageVersion(), program };
  if (args.command === 'signaling') {
    const { runSignaling } = await import('./signaling.ts');
    await runSignaling(read, surroundings);
  } else if (args.command === 'media-server') {
    const { runMediaServer } = await import('./media-server.ts');
    await runMediaServer(read, surroundings);
  } else {
    const { runAll } = await import('./all.ts');
    await runAll(read, surroundings);
  }
}

function startFailure(error: Error): string {
  if (error instanceof StartError) return error.message;
  const known = error.constructor === Error && error.cause === undefined && !('code' in error);
  return `Millrace cannot start: ${known ? error.message : error.stack}`;
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String(version);
}
