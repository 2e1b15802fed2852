import { EVENT_METHODS } from './event.ts';
import { closeCodeTable, errorTable, messageSchemas } from './json-schema.ts';
import { METHODS, PROTOCOL_VERSION } from './message.ts';
import { REPLY_METHODS } from './reply.ts';

const CHANNEL = { $ref: '#/channels/socket' };

/** docs/asyncapi.json: the protocol as an AsyncAPI 3.0 document. `receive` and `send` are the server's. */
export function asyncApiDocument(): Record<string, unknown> {
  const schemas = messageSchemas();
  const names = Object.keys(schemas);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Millrace client protocol',
      version: PROTOCOL_VERSION,
      description: 'JSON over one WebSocket. docs/protocol.md explains it.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: {
      socket: {
        address: '/',
        description: 'The same socket is served at /ws.',
        messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
        bindings: {
          ws: {
            method: 'GET',
            query: {
              type: 'object',
              properties: {
                reply: { type: 'string', enum: REPLY_METHODS },
                events: { type: 'string', enum: ['0', '1'] },
                token: { type: 'string' },
              },
            },
          },
        },
      },
    },
    operations: {
      ...Object.fromEntries(
        METHODS.map((method) => [
          method,
          {
            action: 'receive',
            channel: CHANNEL,
            messages: [message(`${method}.request`)],
            reply: { channel: CHANNEL, messages: [message(`${method}.reply`), message('error.reply')] },
          },
        ]),
      ),
      ...Object.fromEntries(
        EVENT_METHODS.map((method) => [
          method,
          { action: 'send', channel: CHANNEL, messages: [message(`${method}.event`)] },
        ]),
      ),
    },
    components: {
      messages: Object.fromEntries(names.map((name) => [name, { name, payload: schemas[name] }])),
    },
    'x-errors': errorTable(),
    'x-close-codes': closeCodeTable(),
  };
}

function message(name: string): object {
  return { $ref: `#/channels/socket/messages/${name}` };
}
