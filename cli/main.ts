import { readFileSync } from 'node:fs';
import { parseArguments } from './arguments.ts';
import { helpText } from './help.ts';
import { SettingsError } from './mistake.ts';
import { readSettings } from './read-settings.ts';
import { settingsListing } from './settings-listing.ts';

/** Of a start that failed for something the person can put right. */
const WRONG_SETTINGS_EXIT = 2;

try {
  await main();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exit(WRONG_SETTINGS_EXIT);
}

async function main(): Promise<void> {
  const args = parseArguments(process.argv.slice(2));
  if (args.command === 'help') return console.log(helpText());
  if (args.command === 'version') return console.log(packageVersion());
  const read = readSettings(args, process.env);
  if (args.command === 'settings') return console.log(settingsListing(read));
  // Imported late: mediasoup and the rest are not needed to say what is wrong with a setting.
  const { runAll } = await import('./all.ts');
  await runAll(read.settings, { environment: process.env, version: packageVersion() });
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String(version);
}
