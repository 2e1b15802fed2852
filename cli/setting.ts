import type { ValueType } from './value.ts';

/** One setting as the table declares it. Its names derive from its key: see `settingNames`. */
export interface Setting<T> {
  readonly type: ValueType<T>;
  /** As a person would write it; absent = the setting may be absent. */
  readonly fallback?: string;
  /** What the help says instead of `fallback`, where that depends on the machine. */
  readonly fallbackText?: string;
  /** One sentence or two, in the imperative or as a noun, without a full stop at the end. */
  readonly help: string;
  /** Its value is never shown. */
  readonly secret?: true;
}

export interface SettingNames {
  /** `MILLRACE_RTC_PORT` */
  readonly env: string;
  /** `--rtc-port` */
  readonly flag: string;
  /** `rtc_port` */
  readonly fileKey: string;
}

/** @param key camelCase, such as `rtcPort` */
export function settingNames(key: string): SettingNames {
  const words = key.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
  return { env: `MILLRACE_${words.toUpperCase()}`, flag: `--${words.replaceAll('_', '-')}`, fileKey: words };
}

export function withDefault<T>(
  type: ValueType<T>,
  fallback: string,
  help: string,
  fallbackText?: string,
): Setting<T> {
  return { type, fallback, help, ...(fallbackText === undefined ? {} : { fallbackText }) };
}

export function optional<T>(type: ValueType<T>, fallbackText: string, help: string): Setting<T | undefined> {
  return { type, fallbackText, help };
}

export function secretly<T>(setting: Setting<T>): Setting<T> {
  return { ...setting, secret: true };
}
