import { z } from 'zod';
import { ERROR_CODES, type ErrorName } from '../protocol/error.ts';
import { PROBLEM_MEDIA_TYPE } from './problem.ts';
import {
  RecordingFileSchema,
  RecordingIdSchema,
  RecordingListSchema,
  RecordingRequestSchema,
  RecordingSchema,
} from './recording.ts';
import {
  LayerSchema,
  MuteStateSchema,
  PageQuerySchema,
  PlaySchema,
  ProblemSchema,
  PublicSessionIdSchema,
  SessionListSchema,
  SessionSchema,
  StreamDetailSchema,
  StreamListSchema,
  StreamSchema,
  TrackSchema,
} from './schema.ts';

/** Where the document below is served. */
export const OPENAPI_PATH = '/api/v1/openapi.json';

const COMPONENTS = {
  Layer: LayerSchema,
  MuteState: MuteStateSchema,
  Play: PlaySchema,
  Problem: ProblemSchema,
  PublicSessionId: PublicSessionIdSchema,
  Recording: RecordingSchema,
  RecordingFile: RecordingFileSchema,
  RecordingId: RecordingIdSchema,
  RecordingList: RecordingListSchema,
  RecordingRequest: RecordingRequestSchema,
  Session: SessionSchema,
  SessionList: SessionListSchema,
  Stream: StreamSchema,
  StreamDetail: StreamDetailSchema,
  StreamList: StreamListSchema,
  Track: TrackSchema,
} as const;

type Component = keyof typeof COMPONENTS;

/** /api/v1 of this release as an OpenAPI 3.1 document (OpenAPI Specification 3.1.1). */
export function openApiDocument(): Record<string, unknown> {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Millrace',
      version: '1',
      description:
        'Streams, sessions and recordings of a Millrace server. Fields may be added, so ignore those that you do not know. ' +
        'Sessions appear by their public id, which is of no use to take one over.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    // `{}` as well: a server whose authorisation is off asks for no token.
    security: [{ token: [] }, {}],
    tags: [{ name: 'streams' }, { name: 'sessions' }, { name: 'recordings' }],
    paths: {
      '/api/v1/streams': {
        get: operation('listStreams', 'streams', 'Streams that are published now', {
          parameters: pageParameters('name'),
          responses: { 200: json('One page of streams', 'StreamList'), ...problems('invalid_field') },
        }),
      },
      '/api/v1/streams/{name}': {
        parameters: [
          {
            name: 'name',
            in: 'path',
            required: true,
            description: 'percent-encoded UTF-8; a slash within a name is written %2F',
            schema: { type: 'string', minLength: 1, maxLength: 128 },
          },
        ],
        get: operation('getStream', 'streams', 'One stream, with its viewers', {
          responses: {
            200: json('The stream', 'StreamDetail'),
            ...problems(
              'invalid_field',
              'stream_not_found',
              'no_media_server',
              'registry_unavailable',
              'timed_out',
            ),
          },
        }),
        delete: operation(
          'endStream',
          'streams',
          'End a stream: its publisher and its viewers are disconnected from it. Their sessions stay',
          {
            responses: {
              204: { description: 'It has ended' },
              ...problems(
                'invalid_field',
                'stream_not_found',
                'no_media_server',
                'registry_unavailable',
                'timed_out',
              ),
            },
          },
        ),
      },
      '/api/v1/sessions': {
        get: operation('listSessions', 'sessions', 'Sessions, those that wait for their client included', {
          parameters: pageParameters('id'),
          responses: {
            200: json('One page of sessions', 'SessionList'),
            ...problems('invalid_field', 'registry_unavailable'),
          },
        }),
      },
      '/api/v1/sessions/{id}': {
        parameters: [{ name: 'id', in: 'path', required: true, schema: reference('PublicSessionId') }],
        get: operation('getSession', 'sessions', 'One session', {
          responses: {
            200: json('The session', 'Session'),
            ...problems('unknown_session', 'registry_unavailable'),
          },
        }),
        delete: operation(
          'endSession',
          'sessions',
          'End a session: all it publishes and plays is released, its connection is closed with 4004',
          {
            responses: {
              204: { description: 'It has ended' },
              ...problems('unknown_session', 'registry_unavailable', 'timed_out'),
            },
          },
        ),
      },
      ...recordingPaths(),
      [OPENAPI_PATH]: {
        get: operation('getOpenApi', 'streams', 'This document', {
          responses: {
            200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: true } } },
          },
        }),
      },
    },
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'Needs `admin` on the stream, or of the whole server for lists and sessions; recordings take ' +
            '`record` on their stream as well: docs/tokens.md',
        },
      },
    },
  };
}

function recordingPaths(): object {
  const id = { name: 'id', in: 'path', required: true, schema: reference('RecordingId') };
  const away = ['storage_unavailable', 'registry_unavailable', 'timed_out'] as const;
  return {
    '/api/v1/recordings': {
      get: operation('listRecordings', 'recordings', 'Recordings that run, and those of the last 24 hours', {
        parameters: [
          ...pageParameters('id'),
          {
            name: 'stream',
            in: 'query',
            required: false,
            description:
              'of this stream only; without it, the list is for administrators of the whole server',
            schema: { type: 'string', minLength: 1, maxLength: 128 },
          },
        ],
        responses: {
          200: json('One page of recordings', 'RecordingList'),
          ...problems('invalid_field', ...away),
        },
      }),
      post: operation(
        'startRecording',
        'recordings',
        'Record a stream; answered when its first media is kept. Sent again with the same name, it answers with the same recording',
        {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: reference('RecordingRequest') } },
          },
          responses: {
            201: json('The recording', 'Recording'),
            ...problems(
              'malformed',
              'missing_field',
              'invalid_field',
              'name_refused',
              'stream_not_found',
              'name_taken',
              'codec_not_recordable',
              'too_many',
              ...away,
            ),
          },
        },
      ),
    },
    '/api/v1/recordings/{id}': {
      parameters: [id],
      get: operation('getRecording', 'recordings', 'One recording', {
        responses: {
          200: json('The recording', 'Recording'),
          ...problems('recording_not_running', 'registry_unavailable'),
        },
      }),
    },
    '/api/v1/recordings/{id}/stop': {
      parameters: [id],
      post: operation(
        'stopRecording',
        'recordings',
        'End a recording; answered when its file is complete and checked',
        {
          responses: {
            200: json('The recording', 'Recording'),
            ...problems('recording_not_running', ...away),
          },
        },
      ),
    },
    '/api/v1/recordings/{id}/files/{index}': {
      parameters: [
        id,
        {
          name: 'index',
          in: 'path',
          required: true,
          description: 'in `files`, from 0',
          schema: { type: 'integer', minimum: 0 },
        },
        {
          name: 'token',
          in: 'query',
          required: false,
          description: 'instead of the header, which a <video> does not send',
          schema: { type: 'string' },
        },
      ],
      get: operation('getRecordingFile', 'recordings', 'A finished file, or a range of it', {
        responses: {
          200: { description: 'The file', content: { 'video/webm': {} } },
          206: { description: 'The range that was asked for', content: { 'video/webm': {} } },
          416: problem('The range lies behind the end'),
          ...problems('recording_not_running', ...away),
        },
      }),
    },
  };
}

function operation(operationId: string, tag: string, summary: string, rest: object): object {
  return { operationId, tags: [tag], summary, ...rest };
}

function reference(component: Component): object {
  return { $ref: `#/components/schemas/${component}` };
}

function json(description: string, component: Component): object {
  return { description, content: { 'application/json': { schema: reference(component) } } };
}

const ACCESS_FAILURES: readonly ErrorName[] = [
  'token_invalid',
  'token_expired',
  'token_revoked',
  'not_authorised',
];

/** The failures that a caller should expect, by status; any other one of the error table may come too. */
function problems(...names: readonly ErrorName[]): Record<string, object> {
  const all = [...new Set([...ACCESS_FAILURES, ...names])];
  const byStatus = Map.groupBy(all, (name) => Math.floor(ERROR_CODES[name] / 100));
  const answers = [...byStatus].map(([status, list]) => [
    status,
    problem(list.map((name) => `${name} (${ERROR_CODES[name]})`).join(', ')),
  ]);
  return { ...Object.fromEntries(answers), default: problem('Any other failure of the error table') };
}

function problem(description: string): object {
  return { description, content: { [PROBLEM_MEDIA_TYPE]: { schema: reference('Problem') } } };
}

function pageParameters(order: string): readonly object[] {
  const { properties = {} } = z.toJSONSchema(PageQuerySchema, { io: 'input' });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    ...(name === 'after' && { description: `begin behind this ${order}: \`next\` of the page before` }),
    schema,
  }));
}

function componentSchemas(): Record<string, object> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(COMPONENTS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    // Fields may be added later; the output form would forbid that.
    io: 'input',
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(
    // OpenAPI names a component by its place, not by $id, and its dialect once for all.
    Object.entries(schemas).map(([id, { $id: _id, $schema: _schema, ...schema }]) => [id, schema]),
  );
}
