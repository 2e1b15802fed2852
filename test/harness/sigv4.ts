import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Signs a request anew, whose headers were changed on the way: AWS Signature Version 4, in its form for S3,
 * where the path is not encoded twice. Its date, region and payload hash stay.
 *
 * @returns the `authorization` header, or undefined for a request that had none
 */
export function signAgain(
  method: string,
  url: string,
  headers: IncomingHttpHeaders,
  secret: string,
): string | undefined {
  const old =
    /^(?<algorithm>\S+) Credential=(?<id>[^/]+)\/(?<scope>[^,]+), ?SignedHeaders=(?<names>[^,]+),/.exec(
      headers.authorization ?? '',
    );
  if (!old?.groups) return undefined;
  const { algorithm = '', id = '', scope = '', names = '' } = old.groups;
  const signed = names.split(';').filter((name) => headers[name] !== undefined);
  const [path = '', query = ''] = url.split('?');
  const canonical = [
    method,
    path,
    query
      .split('&')
      .filter((part) => part !== '')
      .map((part) => (part.includes('=') ? part : `${part}=`))
      .sort()
      .join('&'),
    ...signed.map((name) => `${name}:${String(headers[name]).trim().replaceAll(/ +/g, ' ')}`),
    '',
    signed.join(';'),
    headers['x-amz-content-sha256'],
  ].join('\n');
  const toSign = [
    algorithm,
    headers['x-amz-date'],
    scope,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>(
      (last, part) => createHmac('sha256', last).update(part).digest(),
      `AWS4${secret}`,
    );
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  return `${algorithm} Credential=${id}/${scope}, SignedHeaders=${signed.join(';')}, Signature=${signature}`;
}
