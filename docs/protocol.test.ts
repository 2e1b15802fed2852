import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ProblemSchema, StreamListSchema } from '../core/api/index.ts';
import {
  CLOSE_CODES,
  decodeRequest,
  END_REASONS,
  ERROR_CODES,
  EVENT_METHODS,
  encodeError,
  METHODS,
} from '../core/protocol/index.ts';
import { protocolJsonSchema } from '../core/protocol/json-schema.ts';
import { FIELD_RULES } from '../core/protocol/message.ts';

const ENGLISH = 'protocol.md';
const CHINESE = 'protocol.zh.md';
const MOBILE = 'mobile.md';

type Example = Record<string, unknown>;

const texts = Object.fromEntries(
  [ENGLISH, CHINESE, MOBILE].map((name) => [name, readFileSync(new URL(name, import.meta.url), 'utf8')]),
);

function textOf(name: string): string {
  return texts[name] ?? '';
}

function codeBlocks(name: string, language: string): readonly string[] {
  const blocks = textOf(name).matchAll(/^```(\w+)\n(.*?)\n```$/gms);
  return [...blocks].filter((block) => block[1] === language).map((block) => block[2] ?? '');
}

function examples(name: string): readonly Example[] {
  return codeBlocks(name, 'json').map((block) => JSON.parse(block) as Example);
}

/** Of the generated schema, so that what is published for machines is what the documents are held against. */
function schemaName(example: Example): string {
  const method = String(example.method);
  if (example.err !== undefined && example.err !== 0) return 'error.reply';
  if (example.err === 0) return method === 'ack' ? 'stream.heartbeat.reply' : `${method}.reply`;
  return EVENT_METHODS.some((event) => event === method) ? `${method}.event` : `${method}.request`;
}

// Its tables and formats are for people and generators: strict mode would refuse to pass over them.
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(protocolJsonSchema(), 'protocol');

function checkMessage(example: Example): void {
  const name = schemaName(example);
  const validate = ajv.getSchema(`protocol#/$defs/${name}`);
  assert.ok(validate, `no schema ${name}`);
  assert.ok(validate(example), `${name}: ${ajv.errorsText(validate.errors)}`);
  if (!name.endsWith('.request')) return;
  const decoded = decodeRequest(JSON.stringify(example));
  assert.ok(decoded.ok, decoded.ok ? '' : decoded.error.message);
}

for (const name of [ENGLISH, CHINESE, MOBILE]) {
  for (const [index, example] of examples(name).entries()) {
    const kind = 'streams' in example ? 'list' : 'type' in example ? 'problem' : schemaName(example);
    test(`example ${index + 1} of docs/${name} keeps the schema of its ${kind}`, () => {
      if (kind === 'list') assert.deepEqual(StreamListSchema.parse(example), example);
      else if (kind === 'problem') assert.deepEqual(ProblemSchema.parse(example), example);
      else checkMessage(example);
    });
  }
}

test('both languages have the same examples and the same structure', () => {
  for (const language of ['json', 'js']) {
    assert.deepEqual(codeBlocks(CHINESE, language), codeBlocks(ENGLISH, language));
  }
  const shape = (name: string) =>
    textOf(name)
      .split('\n')
      .filter((line) => /^(#|\|)/.test(line))
      .map((line) => line.match(/^#+|(?<!\\)\|/g)?.join(''));
  assert.deepEqual(shape(CHINESE), shape(ENGLISH));
});

for (const name of [ENGLISH, CHINESE]) {
  test(`docs/${name} has every method, event, field, reason, error and close code`, () => {
    const text = textOf(name);
    const rows = text.split('\n').filter((line) => line.startsWith('|'));
    for (const method of METHODS) assert.match(text, new RegExp(`^### .*${method}`, 'm'));
    for (const [error, code] of Object.entries(ERROR_CODES)) {
      assert.ok(
        rows.some((row) => row.startsWith(`| ${code} | \`${error}\` |`)),
        `${error} ${code}`,
      );
    }
    for (const [reason, code] of Object.entries(CLOSE_CODES)) {
      assert.ok(
        rows.some((row) => row.startsWith(`| ${code} | \`${reason}\` |`)),
        `${reason} ${code}`,
      );
    }
    const fields = Object.keys(FIELD_RULES).filter((field) => field !== 'fileName');
    for (const word of [...EVENT_METHODS, ...END_REASONS, ...fields, 'err', 'err_msg', 'ice_servers']) {
      assert.ok(
        rows.some((row) => row.startsWith(`| \`${word}\` |`)),
        `no row for ${word}`,
      );
    }
  });

  test(`docs/${name} has an example of each request, each reply, an error and each event`, () => {
    const shown = new Set(examples(name).map(schemaName));
    const { $defs } = protocolJsonSchema() as { $defs: object };
    assert.deepEqual(
      Object.keys($defs).filter((schema) => !shown.has(schema)),
      [],
    );
  });

  test(`docs/${name} names no code that does not exist`, () => {
    const known = new Set<number>([...Object.values(ERROR_CODES), ...Object.values(CLOSE_CODES)]);
    const named = textOf(name).matchAll(/(?<![\d.-])([45]\d{4}|400\d)(?!\d)/g);
    const unknown = [...named].map((match) => Number(match[1])).filter((code) => !known.has(code));
    assert.deepEqual(unknown, []);
  });
}

test('docs/mobile.md tells what to do at every close code and at every reason of an end', () => {
  for (const word of [...Object.values(CLOSE_CODES), ...END_REASONS]) {
    assert.ok(textOf(MOBILE).includes(String(word)), String(word));
  }
});

test('the refusal in the documents is the one that the server writes', () => {
  const request = {
    version: '1.0',
    id: 8,
    method: 'stream.play',
    stream: 'camera',
    session: 'q7Yw0mJc2SxPzT4nVhLd8A',
    data: { sdp: 'v=0', wait_ms: 90_000 },
  };
  const decoded = decodeRequest(JSON.stringify(request));
  assert.ok(!decoded.ok);
  const reply = JSON.parse(encodeError(decoded.echo, decoded.error, 'echo'));
  assert.deepEqual(
    examples(ENGLISH).find(({ err }) => err === ERROR_CODES.invalid_field),
    reply,
  );
});

for (const name of [ENGLISH, CHINESE, MOBILE]) {
  test(`every link of docs/${name} leads somewhere`, () => {
    for (const [, target = ''] of textOf(name).matchAll(/\]\(([^)]+)\)/g)) {
      const [file, anchor] = target.split('#');
      const text = file === '' ? textOf(name) : readFileSync(new URL(file ?? '', import.meta.url), 'utf8');
      if (anchor === undefined) continue;
      const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
      assert.ok(anchors.includes(anchor), target);
    }
  });
}

/** As code hosts make anchors: small letters, spaces as hyphens, punctuation gone. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}
