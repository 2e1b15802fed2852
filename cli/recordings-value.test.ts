import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { parseArguments } from './arguments.ts';
import { maskCredentials } from './mask.ts';
import { SettingsError } from './mistake.ts';
import { readSettings } from './read-settings.ts';
import { type RecordingsLocation, recordingsLocation } from './recordings-value.ts';

const certificate = '/etc/hosts';

const RIGHT: readonly (readonly [text: string, value: RecordingsLocation])[] = [
  ['./recordings', { kind: 'folder', path: resolve('recordings') }],
  ['/var/lib/millrace', { kind: 'folder', path: '/var/lib/millrace' }],
  ['C:recordings', { kind: 'folder', path: resolve('C:recordings') }],
  ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '', pathStyle: false }],
  ['S3://my.bucket-1/a b/ü%20/', { kind: 's3', bucket: 'my.bucket-1', prefix: 'a b/ü%20', pathStyle: false }],
  [
    's3://bucket/a?endpoint=http://[::1]:9000&region=eu-1',
    {
      kind: 's3',
      bucket: 'bucket',
      prefix: 'a',
      endpoint: 'http://[::1]:9000',
      region: 'eu-1',
      pathStyle: true,
    },
  ],
  [
    `s3://bucket?endpoint=https%3A%2F%2Fminio.example%2F&path_style=false&ca=${certificate}`,
    {
      kind: 's3',
      bucket: 'bucket',
      prefix: '',
      endpoint: 'https://minio.example',
      caFile: certificate,
      pathStyle: false,
    },
  ],
  [
    's3://bucket?path_style=true&region=us-east-1',
    { kind: 's3', bucket: 'bucket', prefix: '', region: 'us-east-1', pathStyle: true },
  ],
];

const WRONG: readonly (readonly [text: string, wrong: RegExp])[] = [
  ['https://minio.example/bucket', /endpoint=/],
  ['s3:bucket', /write it like s3:\/\/BUCKET/],
  ['s3://', /"" is no bucket/],
  ['s3://minio.example:9000/bucket', /no bucket.*endpoint=/],
  ['s3://bucket/a//b', /no prefix/],
  ['s3://bucket/../b', /no prefix/],
  [`s3://bucket/${'x'.repeat(513)}`, /512 bytes/],
  ['s3://bucket#x', /write it like/],
  ['s3://bucket?regoin=eu', /no such parameter: regoin; did you mean region\?/],
  ['s3://bucket?pathstyle=true', /did you mean path_style\?/],
  ['s3://bucket?something=1', /there are endpoint, region, ca, path_style/],
  ['s3://bucket?region=a&region=b', /given twice/],
  ['s3://bucket?region=', /region is empty/],
  ['s3://bucket?region=eu_1', /region=eu_1/],
  ['s3://bucket?path_style=yes', /not one of true, false/],
  ['s3://bucket?endpoint=minio:9000', /not an address/],
  ['s3://bucket?endpoint=https://minio/bucket', /without a path/],
  ['s3://bucket?ca=/no/such.pem', /ca=\/no\/such\.pem: no such file/],
  [`s3://bucket?endpoint=http://minio&ca=${certificate}`, /is for https/],
  ['~/recordings', /whole path/],
];

const WITH_CREDENTIALS = [
  's3://AKIAXYZ:hush@bucket/a',
  's3://bucket?access_key=hush',
  's3://bucket/a?region=eu&secret=hush&endpoint=https://minio',
  's3://bucket?X-Amz-Security-Token=hush',
  's3://bucket?endpoint=https://AKIAXYZ:hush@minio:9000',
  's3://bucket?endpoint=https%3A%2F%2FAKIAXYZ%3Ahush%40minio',
];

describe('where recordings are kept', () => {
  for (const [text, value] of RIGHT) {
    it(`is understood: ${text}`, () => assert.deepEqual(recordingsLocation.parse(text), { value }));
  }
  for (const [text, wrong] of WRONG) {
    it(`is refused with the reason: ${text.slice(0, 60)}`, () => {
      const parsed = recordingsLocation.parse(text);
      assert.match('wrong' in parsed ? parsed.wrong : 'accepted', wrong);
    });
  }
  for (const text of WITH_CREDENTIALS) {
    it(`is refused with credentials, which are not shown: ${text}`, () => {
      for (const given of [
        { flags: ['--recordings', text], env: {} },
        { flags: [], env: { MILLRACE_RECORDINGS: text } },
        { flags: [], env: { MILLRACE_RECORDNGS: text } },
        { flags: [], env: { MILLRACE_CONFIG: 'c.json' }, file: JSON.stringify({ recordings: text }) },
        { flags: [], env: { MILLRACE_CONFIG: 'c.json' }, file: JSON.stringify({ recordngs: text }) },
      ]) {
        const said = mistakeOf(given);
        assert.doesNotMatch(said, /hush|AKIA/);
        assert.match(said, /recordi?ngs/i);
        if (!/recordngs/i.test(said)) assert.match(said, /AWS_ACCESS_KEY_ID/);
      }
    });
  }
});

it('what has no credentials is shown as it is', () => {
  for (const [text] of RIGHT) assert.equal(maskCredentials(text), text);
});

function mistakeOf(given: { flags: string[]; env: Record<string, string>; file?: string }): string {
  try {
    readSettings(parseArguments(given.flags), given.env, () => given.file ?? '');
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  return 'no mistake';
}
