import { readFileSync } from 'node:fs';
import { type Arguments, unknown } from './arguments.ts';
import { HIDDEN, maskCredentials } from './mask.ts';
import { type Mistake, SettingsError } from './mistake.ts';
import { usesSetting } from './role-use.ts';
import { type Setting, settingNames } from './setting.ts';
import { checkTogether } from './setting-checks.ts';
import { SETTINGS, type SettingKey, type Settings } from './settings.ts';

const KEYS = Object.keys(SETTINGS) as SettingKey[];
const CONFIG_VARIABLE = 'MILLRACE_CONFIG';
const SECRET_NAME = /auth|key|secret|token|pass/i;

/** A value as it was written, and where. */
interface Written {
  readonly value: string;
  /** With its name, as the person wrote it. */
  readonly text: string;
  /** `argument`, `environment` or the file's name. */
  readonly source: string;
}

export interface ReadSettings {
  readonly settings: Settings;
  /** Where each setting comes from; absent = the default. */
  readonly written: ReadonlyMap<SettingKey, Written>;
  /** What was set and is of no use to the command: its default stands, and nobody looked at the value. */
  readonly passedOver: readonly SettingKey[];
}

/**
 * Settings from arguments, else the environment, else the file, else the default.
 * @throws SettingsError naming every mistake at once
 */
export function readSettings(
  args: Arguments,
  environment: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): ReadSettings {
  const mistakes: Mistake[] = [...args.mistakes];
  const written = new Map<SettingKey, Written>([
    ...fromFile(args.configFile ?? environment[CONFIG_VARIABLE], readFile, mistakes),
    ...fromEnvironment(environment, mistakes),
    ...fromFlags(args.flags),
  ]);

  // All roles may be given the same environment or file.
  const passedOver = KEYS.filter((key) => written.has(key) && !usesSetting(args.command, key));
  for (const key of passedOver) written.delete(key);

  const settings: Partial<Record<SettingKey, unknown>> = {};
  for (const key of KEYS) {
    const setting: Setting<unknown> = SETTINGS[key];
    const found = written.get(key);
    const value = found?.value ?? setting.fallback;
    if (value === undefined) {
      settings[key] = undefined;
      continue;
    }
    const parsed = setting.type.parse(value);
    if ('value' in parsed) settings[key] = parsed.value;
    else mistakes.push({ text: found?.text ?? key, source: found?.source ?? 'default', wrong: parsed.wrong });
  }

  const understood = settings as Partial<Settings>;
  const weighed = (key: SettingKey) => key in understood && usesSetting(args.command, key);
  for (const { keys, wrong } of checkTogether(understood, weighed)) {
    const from = keys.flatMap((key) => written.get(key) ?? []);
    const [first] = keys;
    mistakes.push({
      text:
        from.map(({ text }) => text).join(' ') ||
        `${settingNames(first).env}=${SETTINGS[first].fallback ?? ''}`,
      source: [...new Set(from.map(({ source }) => source))].join(', ') || 'default',
      wrong,
    });
  }
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  return { settings: settings as Settings, written, passedOver };
}

function fromFlags(flags: Arguments['flags']): [SettingKey, Written][] {
  return [...flags].map(([key, value]) => [
    key,
    { value, text: `${settingNames(key).flag} ${shown(key, value)}`, source: 'argument' },
  ]);
}

function fromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  mistakes: Mistake[],
): [SettingKey, Written][] {
  const known = new Map(KEYS.map((key) => [settingNames(key).env, key]));
  const found: [SettingKey, Written][] = [];
  for (const [name, value] of Object.entries(environment)) {
    // An empty variable is an unset one, as whoever writes unit files and manifests expects.
    if (!name.startsWith('MILLRACE_') || name === CONFIG_VARIABLE || value === undefined || value === '')
      continue;
    const key = known.get(name);
    if (key !== undefined)
      found.push([key, { value, text: `${name}=${shown(key, value)}`, source: 'environment' }]);
    else {
      mistakes.push({
        // A secret may stand in a variable whose name has a typing error.
        text: `${name}=${SECRET_NAME.test(name) ? HIDDEN : maskCredentials(value)}`,
        source: 'environment',
        wrong: unknown('setting', name, [...known.keys(), CONFIG_VARIABLE]),
      });
    }
  }
  return found;
}

function fromFile(
  file: string | undefined,
  readFile: (path: string) => string,
  mistakes: Mistake[],
): [SettingKey, Written][] {
  if (file === undefined || file === '') return [];
  const wrong = (text: string, why: string) => mistakes.push({ text, source: file, wrong: why });
  let content: unknown;
  try {
    content = JSON.parse(readFile(file));
  } catch (error) {
    wrong(`--config ${file}`, unreadable(error));
    return [];
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    wrong(`--config ${file}`, 'not a JSON object such as {"rtc_port": 20000}');
    return [];
  }
  const known = new Map(KEYS.map((key) => [settingNames(key).fileKey, key]));
  const found: [SettingKey, Written][] = [];
  for (const [name, json] of Object.entries(content)) {
    const key = known.get(name);
    const value = asText(json);
    const hide = key === undefined ? SECRET_NAME.test(name) : SETTINGS[key].secret === true;
    const text = `"${name}": ${hide ? HIDDEN : maskCredentials(JSON.stringify(json))}`;
    if (key === undefined) wrong(text, unknown('setting', name, [...known.keys()]));
    else if (value === undefined) wrong(text, 'not a string, a number or an array of strings');
    else found.push([key, { value, text, source: file }]);
  }
  return found;
}

function unreadable(error: unknown): string {
  if (error instanceof SyntaxError) return `not JSON: ${error.message}`;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'no such file';
  return code === 'EISDIR' ? 'a folder; name the file in it' : `cannot be read: ${String(error)}`;
}

function shown(key: SettingKey, value: string): string {
  return SETTINGS[key].secret ? HIDDEN : maskCredentials(value);
}

function asText(json: unknown): string | undefined {
  if (typeof json === 'string') return json;
  if (typeof json === 'number') return String(json);
  if (Array.isArray(json) && json.every((item) => typeof item === 'string')) return json.join(',');
  return undefined;
}
