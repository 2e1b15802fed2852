import assert from 'node:assert/strict';
import { type Problem, ProblemSchema } from '../../../core/api/index.ts';

/** An offer as browsers write it, shortened to what WHIP itself looks at. */
export function offerWith(ufrag: string, pwd = 'p'.repeat(24)): string {
  return [
    'v=0',
    'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0 1',
    'a=ice-options:trickle',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=mid:0',
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'a=mid:1',
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${pwd}`,
    '',
  ].join('\r\n');
}

export function fragmentWith(ufrag: string, pwd = 'p'.repeat(24)): string {
  return `m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:${ufrag}\r\na=ice-pwd:${pwd}\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n`;
}

export type Headers = Readonly<Record<string, string>>;

export function post(url: string, body: string, headers: Headers = {}): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers: { 'Content-Type': 'application/sdp', ...headers } });
}

export function patch(url: string, body: string, headers: Headers = {}): Promise<Response> {
  const type = { 'Content-Type': 'application/trickle-ice-sdpfrag' };
  return fetch(url, { method: 'PATCH', body, headers: { ...type, ...headers } });
}

/** @returns the session's address */
export async function created(url: string, body = offerWith('abcd'), headers: Headers = {}): Promise<string> {
  const response = await post(url, body, headers);
  assert.equal(response.status, 201, await response.clone().text());
  return new URL(response.headers.get('location') ?? '', url).href;
}

/** A problem with a code of the error table. */
export async function problem(response: Response): Promise<Problem> {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  return ProblemSchema.parse(await response.json());
}

/** A problem that is no more than its status. */
export async function plainProblem(response: Response): Promise<{ status: number; detail: string }> {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const { type, status, detail } = (await response.json()) as Record<string, unknown>;
  assert.equal(type, 'about:blank');
  return { status: Number(status), detail: String(detail) };
}
