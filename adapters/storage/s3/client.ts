import { readFileSync } from 'node:fs';
import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { S3Location } from './location.ts';

/** Several flushes, parts and reads at once; more wait for a socket, within their deadlines. */
const MAX_SOCKETS = 64;
/** Whoever signs for an endpoint without regions has to name some region. */
const ANY_REGION = 'us-east-1';

export function createClient({ endpoint, region, caFile, pathStyle }: S3Location): S3Client {
  const sockets = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return new S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    ...regionOf(region, endpoint),
    forcePathStyle: pathStyle,
    // Whoever calls knows whether a repetition is safe.
    maxAttempts: 1,
    // Stores other than AWS refuse the checksums that the SDK adds by itself.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A store that does not know `Expect: 100-continue` would cost seconds for each part.
    expectContinueHeader: false,
    requestHandler: new NodeHttpHandler({
      httpAgent: sockets,
      httpsAgent: { ...sockets, ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }) },
    }),
  });
}

function regionOf(region: string | undefined, endpoint: string | undefined): { region?: string } {
  if (region !== undefined) return { region };
  if (endpoint === undefined) return {};
  return { region: process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || ANY_REGION };
}
