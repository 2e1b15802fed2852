import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApiDocument } from './openapi.ts';

const document = JSON.parse(JSON.stringify(openApiDocument()));
const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, { readonly content?: Record<string, unknown> }>>;
}

function operations(): readonly (readonly [string, Operation])[] {
  return Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => [`${method} ${path}`, operation] as const),
  );
}

function references(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    key === '$ref' ? [String(member)] : references(member),
  );
}

test('every reference of the OpenAPI document has its target, and every component is used', () => {
  const used = new Set(references(document));
  const components = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
  assert.deepEqual([...used].sort(), components.sort());
});

test('every operation has a name of its own and answers failures with problems', () => {
  const ids = operations().map(([, { operationId }]) => operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const [where, { responses }] of operations()) {
    for (const [status, { content }] of Object.entries(responses)) {
      if (status.startsWith('2')) continue;
      assert.deepEqual(Object.keys(content ?? {}), ['application/problem+json'], `${where} ${status}`);
    }
  }
});

test('the document has this release: streams, sessions, and the end of each', () => {
  assert.deepEqual(
    operations().map(([where]) => where),
    [
      'get /api/v1/streams',
      'get /api/v1/streams/{name}',
      'delete /api/v1/streams/{name}',
      'get /api/v1/sessions',
      'get /api/v1/sessions/{id}',
      'delete /api/v1/sessions/{id}',
      'get /api/v1/recordings',
      'post /api/v1/recordings',
      'get /api/v1/recordings/{id}',
      'post /api/v1/recordings/{id}/stop',
      'get /api/v1/recordings/{id}/files/{index}',
      'get /api/v1/openapi.json',
    ],
  );
});
