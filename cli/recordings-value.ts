import { resolve } from 'node:path';
import type { S3Location } from '../adapters/storage/s3/location.ts';
import { nearest } from './nearest.ts';
import { file, type Parsed, type ValueType } from './value.ts';

/** Where recordings are kept. */
export type RecordingsLocation =
  | { readonly kind: 'folder'; readonly path: string }
  | ({ readonly kind: 's3' } & S3Location);

const PARAMETERS = ['endpoint', 'region', 'ca', 'path_style'] as const;
type Parameter = (typeof PARAMETERS)[number];
type Parameters = Partial<Record<Parameter, string>>;

/** What they are called where they do stand in addresses. */
const CREDENTIAL = /key|secret|token|pass|cred|sig/i;
const NO_CREDENTIALS =
  'credentials do not belong here, where they would be shown; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile (AWS_PROFILE), or give the machine a role';
const BUCKET = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i;
/** S3's limit for keys is 1024; what stands behind the prefix needs its share. */
const MAX_PREFIX_BYTES = 512;

/** A folder, or `s3://BUCKET/PREFIX?endpoint=…`. */
export const recordingsLocation: ValueType<RecordingsLocation> = {
  syntax: 'FOLDER|s3://BUCKET/PREFIX',
  parse(text) {
    if (/^s3:/i.test(text)) return parseS3(text);
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
      return {
        wrong: 'neither a folder nor s3://BUCKET/PREFIX; the address of a store goes into ?endpoint=',
      };
    }
    if (text.startsWith('~')) return { wrong: '~ is a shell’s word; write the whole path' };
    if (text.includes('\0')) return { wrong: 'no path has a zero byte' };
    return { value: { kind: 'folder', path: resolve(text) } };
  },
};

function parseS3(text: string): Parsed<RecordingsLocation> {
  const match = /^s3:\/\/(?<bucket>[^/?#]*)(?<prefix>[^?#]*)(?:\?(?<query>[^#]*))?$/i.exec(text);
  if (!match?.groups) {
    return { wrong: 'write it like s3://BUCKET/PREFIX or s3://BUCKET/PREFIX?endpoint=https://HOST:9000' };
  }
  const { bucket = '', prefix: path = '', query = '' } = match.groups;
  if (bucket.includes('@')) return { wrong: NO_CREDENTIALS };
  if (!BUCKET.test(bucket)) {
    return {
      wrong: `"${bucket}" is no bucket: 3 to 63 letters, digits, dots and hyphens. The address of a store goes into ?endpoint=`,
    };
  }
  const prefix = path.replace(/^\/+|\/+$/g, '');
  const wrongPrefix = problemOfPrefix(prefix);
  if (wrongPrefix !== undefined) return { wrong: wrongPrefix };
  const parameters = parseQuery(query);
  if ('wrong' in parameters) return parameters;
  return withParameters(bucket, prefix, parameters.value);
}

function problemOfPrefix(prefix: string): string | undefined {
  if (prefix === '') return undefined;
  if (Buffer.byteLength(prefix) > MAX_PREFIX_BYTES) return `a prefix of more than ${MAX_PREFIX_BYTES} bytes`;
  const parts = prefix.split('/');
  return /\p{Cc}/u.test(prefix) || parts.some((part) => ['', '.', '..'].includes(part))
    ? `"${prefix}" is no prefix: no empty parts, none that is . or .., no control characters`
    : undefined;
}

function parseQuery(query: string): Parsed<Parameters> {
  const parameters: Parameters = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const known = PARAMETERS.find((parameter) => parameter === name);
    if (known === undefined) {
      const meant = nearest(name, PARAMETERS);
      if (meant === undefined && CREDENTIAL.test(name)) return { wrong: NO_CREDENTIALS };
      const hint = meant === undefined ? `there are ${PARAMETERS.join(', ')}` : `did you mean ${meant}?`;
      return { wrong: `no such parameter: ${name}; ${hint}` };
    }
    if (parameters[known] !== undefined) return { wrong: `${name} is given twice` };
    if (value === '') return { wrong: `${name} is empty` };
    parameters[known] = value;
  }
  return { value: parameters };
}

function withParameters(
  bucket: string,
  prefix: string,
  { endpoint, region, ca, path_style: pathStyle }: Parameters,
): Parsed<RecordingsLocation> {
  const at = endpoint === undefined ? undefined : parseEndpoint(endpoint);
  if (at !== undefined && 'wrong' in at) return at;
  if (region !== undefined && !/^[a-z0-9-]{1,64}$/i.test(region)) {
    return { wrong: `region=${region}: letters, digits and hyphens only, such as eu-central-1` };
  }
  if (pathStyle !== undefined && !['true', 'false'].includes(pathStyle)) {
    return { wrong: `path_style=${pathStyle}: not one of true, false` };
  }
  const authorities = ca === undefined ? undefined : file('read').parse(ca);
  if (authorities !== undefined && 'wrong' in authorities) return { wrong: `ca=${ca}: ${authorities.wrong}` };
  if (authorities !== undefined && at?.value.startsWith('http:')) {
    return { wrong: `ca=${ca} is for https, and the endpoint is http: leave it out, or make that https` };
  }
  return {
    value: {
      kind: 's3',
      bucket,
      prefix,
      ...(at === undefined ? {} : { endpoint: at.value }),
      ...(region === undefined ? {} : { region }),
      ...(authorities === undefined ? {} : { caFile: authorities.value }),
      // Stores other than AWS are seldom reached at a host name for each bucket.
      pathStyle: pathStyle === undefined ? endpoint !== undefined : pathStyle === 'true',
    },
  };
}

function parseEndpoint(text: string): Parsed<string> {
  const wrong = { wrong: 'endpoint: not an address; write it like endpoint=https://HOST:9000' };
  if (!URL.canParse(text)) return wrong;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return { wrong: NO_CREDENTIALS };
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return wrong;
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return { wrong: 'endpoint: without a path; bucket and prefix stand in s3://BUCKET/PREFIX' };
  }
  return { value: url.origin };
}
