/** Numbers in words, short, in the reader's language. */
export function formatBitrate(bitsPerSecond: number, tag: string): string {
  if (bitsPerSecond < 999_500) return `${number(bitsPerSecond / 1000, 0, tag)} kbit/s`;
  return `${number(bitsPerSecond / 1_000_000, bitsPerSecond < 9_950_000 ? 2 : 1, tag)} Mbit/s`;
}

/** `480 k`, `1.2 M`: beside a figure that names the unit. */
export function formatShortBitrate(bitsPerSecond: number, tag: string): string {
  if (bitsPerSecond < 999_500) return `${number(bitsPerSecond / 1000, 0, tag)} k`;
  return `${number(bitsPerSecond / 1_000_000, 1, tag)} M`;
}

export function formatBytes(bytes: number, tag: string): string {
  if (bytes < 999_500) return `${number(bytes / 1000, 0, tag)} kB`;
  if (bytes < 999_500_000) return `${number(bytes / 1_000_000, bytes < 9_950_000 ? 1 : 0, tag)} MB`;
  return `${number(bytes / 1_000_000_000, 1, tag)} GB`;
}

/** @param ratio 0..1 */
export function formatRatio(ratio: number, tag: string): string {
  const percent = ratio * 100;
  return `${number(percent, percent > 0 && percent < 9.95 ? 1 : 0, tag)} %`;
}

export function formatMs(ms: number, tag: string): string {
  if (ms < 1) return '< 1 ms';
  return `${number(ms, ms < 9.95 ? 1 : 0, tag)} ms`;
}

/** `0:42`, `12:07`, `3:12:07`, then days: `2 d 3 h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3600) % 24;
  if (days > 0) return `${days} d ${hours} h`;
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = String(seconds % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

function number(value: number, digits: number, tag: string): string {
  return value.toLocaleString(tag, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
