import { createHmac } from 'node:crypto';

/**
 * The value of `Millrace-Signature`: a timestamp against replays, and the HMAC-SHA256 of `<timestamp>.<body>`.
 * @param nowS Unix time in whole seconds
 */
export function signature(secret: string, nowS: number, body: string): string {
  return `t=${nowS},v1=${createHmac('sha256', secret).update(`${nowS}.${body}`).digest('hex')}`;
}
