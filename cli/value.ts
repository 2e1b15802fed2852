import { accessSync, constants, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';

/** A value as a person wrote it, understood or not. `wrong` says what would be right. */
export type Parsed<T> = { readonly value: T } | { readonly wrong: string };

/** How values of one kind are written. */
export interface ValueType<T> {
  /** For the help, such as HOST:PORT. */
  readonly syntax: string;
  parse(text: string): Parsed<T>;
}

export interface HostPort {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

const HOST_NAME = /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?$/i;

export const hostPort: ValueType<HostPort> = {
  syntax: 'HOST:PORT',
  parse(text) {
    const match = /^(?:\[(?<v6>[^\]]+)\]|(?<host>[^:[\]]+)):(?<port>\d{1,5})$/.exec(text);
    const wrong = { wrong: 'not HOST:PORT; write it like 127.0.0.1:8443, [::1]:8443 or 0.0.0.0:8443' };
    if (!match?.groups) return wrong;
    const port = Number(match.groups.port);
    if (port > 65_535) return { wrong: `${port} is not a port; ports go from 0 (any free one) to 65535` };
    const { v6, host } = match.groups;
    if (v6 !== undefined) return isIP(v6) === 6 ? { value: { host: v6, port } } : wrong;
    return host !== undefined && isHost(host) ? { value: { host, port } } : wrong;
  },
};

/** An IP address or a host name. */
export const host: ValueType<string> = {
  syntax: 'ADDRESS',
  parse: (text) =>
    isHost(text) || isIP(text) === 6 ? { value: text } : { wrong: 'neither an IP address nor a host name' },
};

export const ipAddress: ValueType<string> = {
  syntax: 'IP',
  parse: (text) =>
    isIP(text) ? { value: text } : { wrong: 'not an IP address; write it like 192.0.2.7 or 2001:db8::7' },
};

/** A range of addresses, or one address. */
export const addressRange: ValueType<{ readonly address: string; readonly prefix: number }> = {
  syntax: 'CIDR',
  parse(text) {
    const [address = '', length, ...more] = text.split('/');
    const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0;
    const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN;
    return bits > 0 && prefix <= bits && more.length === 0 && !address.includes('%')
      ? { value: { address, prefix } }
      : { wrong: 'no range of addresses; write it like 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32' };
  },
};

/** @param use what the server must be able to do with the file now */
export function file(use: 'read' | 'execute'): ValueType<string> {
  return {
    syntax: 'FILE',
    parse(text) {
      try {
        accessSync(text, use === 'read' ? constants.R_OK : constants.X_OK);
        return statSync(text).isFile() ? { value: text } : { wrong: 'not a file' };
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return { wrong: code === 'ENOENT' ? 'no such file' : `a file that this user cannot ${use}` };
      }
    },
  };
}

/** A folder, which need not exist yet; as a whole path. */
export const folder: ValueType<string> = {
  syntax: 'FOLDER',
  parse(text) {
    if (text.startsWith('~')) return { wrong: '~ is a shell’s word; write the whole path' };
    return text.includes('\0') ? { wrong: 'no path has a zero byte' } : { value: resolve(text) };
  },
};

/** `http(s)://host[:port]` (RFC 6454), or `*`. */
export const origin: ValueType<string> = {
  syntax: 'ORIGIN',
  parse(text) {
    if (text === '*') return { value: text };
    const wrong = {
      wrong: 'not an origin; write it like https://www.example.org, without a path, or * for all',
    };
    if (!URL.canParse(text)) return wrong;
    const url = new URL(text);
    const plain =
      (url.protocol === 'https:' || url.protocol === 'http:') && url.origin === text.toLowerCase();
    return plain ? { value: url.origin } : wrong;
  },
};

export function choice<const T extends string>(...options: readonly T[]): ValueType<T> {
  return {
    syntax: options.join('|'),
    parse(text) {
      const found = options.find((option) => option.toLowerCase() === text.toLowerCase());
      return found === undefined ? { wrong: `not one of ${options.join(', ')}` } : { value: found };
    },
  };
}

/** The type's value, or undefined where it says `off`. */
export function orOff<T>(type: ValueType<T>): ValueType<T | undefined> {
  return {
    syntax: `${type.syntax}|off`,
    parse(text) {
      if (text.toLowerCase() === 'off') return { value: undefined };
      const parsed = type.parse(text);
      return 'wrong' in parsed ? { wrong: `${parsed.wrong}, or off` } : parsed;
    },
  };
}

/** Ports from the first to the last; undefined = any. */
export const portRange: ValueType<{ readonly min: number; readonly max: number } | undefined> = {
  syntax: 'FIRST-LAST|0',
  parse(text) {
    if (text === '0') return { value: undefined };
    const [, min, max] = (/^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []).map(Number);
    return min !== undefined && max !== undefined && min >= 1 && min <= max && max <= 65_535
      ? { value: { min, max } }
      : { wrong: 'no range of ports; write it like 21000-21199, or 0 for any' };
  },
};

/** Values separated by commas, none twice. */
export function list<T>(type: ValueType<T>): ValueType<readonly T[]> {
  return {
    syntax: `${type.syntax},…`,
    parse(text) {
      const values: T[] = [];
      for (const item of text.split(',').map((part) => part.trim())) {
        if (item === '') return { wrong: 'an empty place between commas' };
        const parsed = type.parse(item);
        if ('wrong' in parsed) return { wrong: `${item}: ${parsed.wrong}` };
        if (values.includes(parsed.value)) return { wrong: `${item} is named twice` };
        values.push(parsed.value);
      }
      return { value: values };
    },
  };
}

export function integer(range: { readonly min: number; readonly max: number }): ValueType<number> {
  return {
    syntax: 'NUMBER',
    parse(text) {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= range.min && value <= range.max
        ? { value }
        : { wrong: `not a whole number from ${range.min} to ${range.max}` };
    },
  };
}

const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds, written with a unit. */
export function duration(range: { readonly min: string; readonly max: string }): ValueType<number> {
  const minMs = toMs(range.min);
  const maxMs = toMs(range.max);
  return {
    syntax: 'TIME',
    parse(text) {
      const value = toMs(text);
      return value >= minMs && value <= maxMs
        ? { value }
        : { wrong: `not a time from ${range.min} to ${range.max}; write it like 500ms, 30s, 2m or 1h` };
    },
  };
}

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, k: 1000, M: 1_000_000, G: 1_000_000_000 };

/** Bit/s. */
export function bitrate(range: { readonly min: string; readonly max: string }): ValueType<number> {
  return sized(
    'BITRATE',
    SIZE_UNITS,
    range,
    (bounds) => `not a bitrate ${bounds}; write it like 800k or 8M (bit/s)`,
  );
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

export function bytes(range: { readonly min: string; readonly max: string }): ValueType<number> {
  return sized(
    'BYTES',
    BYTE_UNITS,
    range,
    (bounds) => `not a size ${bounds}; write it like 65536, 256KiB or 1MiB`,
  );
}

function sized(
  syntax: string,
  units: Readonly<Record<string, number>>,
  range: { readonly min: string; readonly max: string },
  wrong: (bounds: string) => string,
): ValueType<number> {
  const toNumber = (text: string): number => {
    const match = /^(\d{1,12})([a-z]*)$/i.exec(text);
    const unit = Object.entries(units).find(([name]) => name.toLowerCase() === match?.[2]?.toLowerCase());
    return match && unit ? Number(match[1]) * unit[1] : Number.NaN;
  };
  const min = toNumber(range.min);
  const max = toNumber(range.max);
  return {
    syntax,
    parse(text) {
      const value = toNumber(text);
      return value >= min && value <= max ? { value } : { wrong: wrong(`from ${range.min} to ${range.max}`) };
    },
  };
}

function toMs(text: string): number {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  return match ? Number(match[1]) * (TIME_UNITS[match[2] ?? ''] ?? Number.NaN) : Number.NaN;
}

function isHost(text: string): boolean {
  if (isIP(text) === 4) return true;
  // What looks like an IPv4 address and is none is a typing error, not a name.
  return HOST_NAME.test(text) && !/^[\d.]+$/.test(text);
}
