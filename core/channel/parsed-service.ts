import { z } from 'zod';
import { MillraceError } from '../protocol/error.ts';
import { parseStreamName } from '../protocol/stream-name.ts';
import { parseFileName } from '../recording/file-name.ts';
import { parseRecordingId } from '../recording/recording-id.ts';
import type { CallMap } from './channel.ts';
import type { Serve } from './service.ts';

/** What each call of a service may be asked with. Fields that are not known are dropped: a newer caller may have some. */
export type RequestSchemas<Calls extends CallMap> = {
  readonly [Name in keyof Calls]: z.ZodType<Calls[Name]['request']>;
};

/** Parts of such requests. */
export const streamName = z.string().transform(parseStreamName);
export const recordingKey = z.string().transform(parseFileName);
export const recordingId = z.string().transform(parseRecordingId);
export const amount = z.number().nonnegative();

/** The same service, whose handlers get only what they can be asked with. @throws MillraceError `invalid_field` for the rest */
export function parsedService<Calls extends CallMap, Notice>(
  serve: Serve<Calls, Notice>,
  schemas: RequestSchemas<Calls>,
): Serve<Calls, Notice> {
  return (peer) => {
    const handlers = serve(peer);
    const parsed = Object.keys(schemas).map((name: keyof Calls & string) => {
      const handle = handlers[name];
      return [name, async (request: unknown) => handle(parse(schemas[name], request, name))];
    });
    // Each name has the handler of that name.
    return Object.fromEntries(parsed) as typeof handlers;
  };
}

function parse<Request>(schema: z.ZodType<Request>, request: unknown, call: string): Request {
  const { success, data, error } = schema.safeParse(request);
  if (success) return data;
  const [issue] = error.issues;
  const where = issue === undefined || issue.path.length === 0 ? 'the request' : `"${issue.path.join('.')}"`;
  throw new MillraceError('invalid_field', `"${call}": ${where}: ${issue?.message ?? 'not understood'}`);
}
