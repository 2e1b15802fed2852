import { z } from 'zod';
import { CLOSE_CODES, CLOSE_MEANINGS, type CloseReason } from './close-code.ts';
import { ERROR_CODES, ERROR_TITLES, type ErrorName } from './error.ts';
import { EVENT_METHODS, EVENT_SCHEMAS } from './event.ts';
import { METHODS, PROTOCOL_VERSION, REQUEST_SCHEMAS } from './message.ts';
import { ErrorReplySchema, REPLY_SCHEMAS } from './reply.ts';

type Json = Record<string, unknown>;

/** Every message of this release by name, `<method>.request`, `.reply`, `.event` and `error.reply`. */
export function messageSchemas(): Record<string, Json> {
  return {
    ...Object.fromEntries(
      METHODS.flatMap((method) => [
        [`${method}.request`, jsonSchema(REQUEST_SCHEMAS[method])],
        [`${method}.reply`, jsonSchema(REPLY_SCHEMAS[method])],
      ]),
    ),
    'error.reply': jsonSchema(ErrorReplySchema),
    ...Object.fromEntries(
      EVENT_METHODS.map((method) => [`${method}.event`, jsonSchema(EVENT_SCHEMAS[method])]),
    ),
  };
}

function jsonSchema(schema: z.ZodType): Json {
  // The input form, as the output form forbids fields that a later release may add.
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return rest;
}

/** The error table for machines. `retry_later`: the same request may succeed later by itself. */
export function errorTable(): readonly Json[] {
  return (Object.keys(ERROR_CODES) as ErrorName[]).map((name) => ({
    name,
    code: ERROR_CODES[name],
    title: ERROR_TITLES[name],
    retry_later: ERROR_CODES[name] >= 50_000 || name === 'too_many',
  }));
}

export function closeCodeTable(): readonly Json[] {
  return (Object.keys(CLOSE_CODES) as CloseReason[]).map((name) => ({
    name,
    code: CLOSE_CODES[name],
    meaning: CLOSE_MEANINGS[name],
  }));
}

/** docs/protocol.schema.json: JSON Schema 2020-12 of any one message, with both tables beside it. */
export function protocolJsonSchema(): Json {
  const messages = messageSchemas();
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `Millrace client protocol ${PROTOCOL_VERSION}`,
    description:
      'One WebSocket text message. Unknown fields are ignored by both sides. In requests the server reads a field that is null as absent.',
    anyOf: Object.keys(messages).map((name) => ({ $ref: `#/$defs/${name}` })),
    $defs: messages,
    'x-errors': errorTable(),
    'x-close-codes': closeCodeTable(),
  };
}
