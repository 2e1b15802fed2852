import { z } from 'zod';
import { MillraceError } from '../protocol/error.ts';
import type { NodeId } from '../registry/node-id.ts';
import { parsedService, type RequestSchemas, streamName } from './parsed-service.ts';
import type { PipeCalls, PipeNotice } from './pipes.ts';
import type { Serve } from './service.ts';

const MAX_ID = 256;
/** Media servers that an asker could not reach. */
const MAX_WITHOUT = 1000;

const id = z.string().min(1).max(MAX_ID);
const node = id.transform((text) => text as NodeId);
const srtpParameters = z.object({
  cryptoSuite: z.enum([
    'AEAD_AES_256_GCM',
    'AEAD_AES_128_GCM',
    'AES_CM_128_HMAC_SHA1_80',
    'AES_CM_128_HMAC_SHA1_32',
  ]),
  keyBase64: z.base64().max(MAX_ID),
});
const end = z.object({
  ip: z.union([z.ipv4(), z.ipv6()]),
  port: z.int().min(1).max(65_535),
  srtpParameters: srtpParameters.exactOptional(),
});

/** What those that pull streams may ask a media server with. */
export const PIPE_REQUESTS: RequestSchemas<PipeCalls> = {
  locate: z.object({ stream: streamName }),
  adopt: z.object({
    stream: streamName,
    by: z.object({ node, address: z.string().max(MAX_ID) }),
    without: z.array(node).max(MAX_WITHOUT).exactOptional(),
  }),
  open: z.object({ pipe: id, worker: id, end }),
  pull: z.object({ pipe: id, pull: id, stream: streamName, by: node.exactOptional() }),
  release: z.object({ pull: id }),
  close: z.object({ pipe: id }),
};

/** The service as all may have it: requests are parsed, and a recorder gets the stream that it records and no other. */
export function guardedPipes(serve: Serve<PipeCalls, PipeNotice>): Serve<PipeCalls, PipeNotice> {
  return parsedService((peer) => {
    const handlers = serve(peer);
    const { recording, stream: own } = peer.identity;
    if (recording === undefined) return handlers;
    const confined =
      <Request extends { readonly stream: string }, Reply>(handle: (request: Request) => Promise<Reply>) =>
      async (request: Request): Promise<Reply> => {
        if (request.stream === own) return handle(request);
        throw new MillraceError('not_authorised', 'the token is a recorder’s, and for another stream');
      };
    return {
      ...handlers,
      locate: confined(handlers.locate),
      adopt: confined(handlers.adopt),
      pull: confined(handlers.pull),
    };
  }, PIPE_REQUESTS);
}
