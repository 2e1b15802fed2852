import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, test } from 'node:test';

/** Which way the arrows point: a room's product code imports itself and these, nothing else. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  adapters: ['core'],
  signaling: ['core'],
  'media-server': ['core'],
  recorder: ['core'],
  operator: ['core'],
  cli: ['core', 'adapters', 'signaling', 'media-server', 'recorder', 'operator', 'web'],
  client: [],
  web: ['client'],
  docs: ['core'],
  setup: ['media-server'],
};
/** Look at everything, are looked at by nobody. */
const OBSERVERS = ['test', 'bench'];
/** Entered by their doors only: what a role makes, what it can be set to, and where its built worker is. */
const ROLES = ['signaling', 'media-server', 'recorder', 'operator'];
const DOORS = ['index.ts', 'settings.ts', 'worker/cache.js'];

/** What core may use: pure libraries and pure parts of Node. */
const CORE_PACKAGES = ['zod', 'sdp-transform', 'mediasoup/ortc'];
const CORE_BUILT_INS = ['node:buffer', 'node:crypto', 'node:path', 'node:url', 'node:util'];
/** Their types say nothing of sockets. */
const CORE_TYPES = ['mediasoup/types'];
/** A clock, chance, the process and the network come to core as parameters. */
const IMPURE =
  /\b(Date\.now|performance\.|Math\.random|process\.\w|console\.|(set(Timeout|Interval|Immediate)|fetch|getRandomValues)\(|new (Date\(\)|WebSocket\b|Worker\b)|import .*\brandom.*'node:crypto')/;

const MAX_LINES = 350;
/** Lists of data, which no reader goes through from end to end. */
const LONG_FIXTURES: readonly string[] = [];
/** Needed by tests, beside what they test; tools that renew fixtures too. */
const SUPPORT = /\.test\.ts$|\/conformance(-[a-z]+)?\.ts$|\/harness\/|^core\/sdp\/offers\//;

const ROOT = join(import.meta.dirname, '..');

interface Import {
  /** A file's path from the root; or a package or built-in with what is imported of it. */
  readonly target: string;
  readonly isFile: boolean;
  readonly typeOnly: boolean;
}

interface SourceFile {
  readonly path: string;
  readonly room: string;
  readonly text: string;
  readonly support: boolean;
  readonly imports: readonly Import[];
}

const files = readSourceFiles();
const product = files.filter(({ room, support }) => room in ROOMS && !support);

describe('The house:', () => {
  test('imports are found in every form they are written in', () => {
    const text = `import a from 'a';\nimport type { B } from './b.ts';\nimport './c.ts';
import {\n  d,\n  type D,\n} from "d/d";\nexport * from '../e.ts';\nexport type * from './f.ts';
const g = await import('node:g');\nexport const h = 'h';\nexport { i } from './i.ts';
// import j from './j.ts'\n/* import k from 'k'; */\n`;
    const found = importsOf('room/x/file.ts', text).map(({ target, typeOnly }) =>
      typeOnly ? `type ${target}` : target,
    );
    assert.deepEqual(found, [
      ...['a', 'type room/x/b.ts', 'room/x/c.ts', 'd/d', 'room/e.ts', 'type room/x/f.ts', 'room/x/i.ts'],
      'node:g',
    ]);
  });

  test('every file stands in a room that has its rule', () => {
    none(files, ({ room }) => (room in ROOMS || OBSERVERS.includes(room) ? [] : [`"${room}" is no room`]));
  });

  test('every file is named in kebab case', () => {
    none(files, ({ path }) =>
      path.split('/').every((part) => /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*$/.test(part)) ? [] : ['is not'],
    );
  });

  test(`no file is longer than ${MAX_LINES} lines`, () => {
    none(files, ({ path, text }) => {
      const lines = text.trimEnd().split('\n').length;
      return lines <= MAX_LINES || LONG_FIXTURES.includes(path) ? [] : [`has ${lines}`];
    });
  });

  test('arrows point one way: cli to roles and adapters, all to core, web to client', () => {
    none(product, ({ room, imports }) =>
      filesIn(imports)
        .filter(({ target }) => ![room, ...(ROOMS[room] ?? [])].some((allowed) => isIn(target, allowed)))
        .map(({ target }) => `imports ${target}`),
    );
  });

  test('a role is entered by its door', () => {
    none(product, ({ room, imports }) =>
      filesIn(imports)
        .filter(({ target }) => {
          const role = ROLES.find((name) => name !== room && isIn(target, name));
          return role !== undefined && !DOORS.some((door) => target === `${role}/${door}`);
        })
        .map(({ target }) => `imports ${target}`),
    );
  });

  test('an adapter knows no adapter of another kind', () => {
    const kindOf = (path: string) => path.split('/').slice(0, 2).join('/');
    none(
      product.filter(({ room }) => room === 'adapters'),
      ({ path, imports }) =>
        filesIn(imports)
          .filter(({ target }) => isIn(target, 'adapters') && kindOf(target) !== kindOf(path))
          .map(({ target }) => `imports ${target}`),
    );
  });

  test('the product imports no tests and nothing made for them', () => {
    none(product, ({ imports }) =>
      filesIn(imports)
        .filter(({ target }) => SUPPORT.test(target) || OBSERVERS.some((room) => isIn(target, room)))
        .map(({ target }) => `imports ${target}`),
    );
  });

  test('no file imports itself in a circle', () => {
    assert.deepEqual(circles(), []);
  });

  test('core uses pure packages only, and no sockets, files or timers of Node', () => {
    const allowed = [...CORE_PACKAGES, ...CORE_BUILT_INS];
    none(
      product.filter(({ room }) => room === 'core'),
      ({ imports }) =>
        packagesIn(imports)
          .filter(
            ({ target, typeOnly }) => !(typeOnly ? [...allowed, ...CORE_TYPES] : allowed).includes(target),
          )
          .map(({ target }) => `imports ${target}`),
    );
  });

  test('core has no clock, no chance and no process of its own', () => {
    none(
      product.filter(({ room }) => room === 'core'),
      ({ text }) =>
        withoutComments(text)
          .split('\n')
          .filter((line) => IMPURE.test(line))
          .map((line) => `says ${line.trim()}`),
    );
  });

  test('client and page run in browsers: no Node, no package of the server', () => {
    const tools = ['client/build.js', 'web/bundle.ts'];
    const dependencies = dependenciesOf('client/package.json', 'dependencies');
    const browser = product.filter(
      ({ room, path }) => ['client', 'web'].includes(room) && !tools.includes(path),
    );
    none(browser, ({ imports }) =>
      packagesIn(imports)
        .filter(({ target }) => !dependencies.includes(packageName(target)))
        .map(({ target }) => `imports ${target}`),
    );
  });

  test('setup imports nothing that has to be installed first', () => {
    none(
      product.filter(({ room }) => room === 'setup'),
      ({ imports }) =>
        packagesIn(imports)
          .filter(({ target }) => !target.startsWith('node:'))
          .map(({ target }) => `imports ${target}`),
    );
  });

  test('every package is a declared dependency, of the product where the product imports it', () => {
    const dependencies = dependenciesOf('package.json', 'dependencies');
    const all = [...dependencies, ...dependenciesOf('package.json', 'devDependencies')];
    none(files, (file) =>
      packagesIn(file.imports)
        .map(({ target }) => packageName(target))
        .filter((name) => !name.startsWith('node:'))
        .filter((name) => !(product.includes(file) ? dependencies : all).includes(name))
        .map((name) => `imports ${name}`),
    );
  });
});

/** Fails with every finding at once, each with its file. */
function none(checked: readonly SourceFile[], findings: (file: SourceFile) => readonly string[]): void {
  const all = checked.flatMap((file) => findings(file).map((finding) => `${file.path}: ${finding}`));
  assert.deepEqual(all, []);
}

function readSourceFiles(): SourceFile[] {
  const skipped = /(^|\/)(node_modules|dist|\.[^/]+)$/;
  return globSync('*/**/*.{ts,js}', { cwd: ROOT, exclude: (path) => skipped.test(path) })
    .sort()
    .map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      const [room = ''] = path.split('/');
      return { path, room, text, support: SUPPORT.test(path), imports: importsOf(path, text) };
    });
}

/** Static imports and re-exports, which start a line, then dynamic ones of a literal. */
function importsOf(path: string, text: string): Import[] {
  const code = withoutComments(text);
  const statements = /^(?:import|export)\s+(type\s+)?(?:[\w$*{}\s,]+?\sfrom\s+)?['"]([^'"\n]+)['"]/gm;
  const found = [...code.matchAll(statements)].map(([, type, target = '']) => ({
    target,
    typeOnly: type !== undefined,
  }));
  const dynamic = [...code.matchAll(/\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g)];
  return [...found, ...dynamic.map(([, target = '']) => ({ target, typeOnly: false }))].map((one) =>
    resolveImport(path, one.target, one.typeOnly),
  );
}

function resolveImport(path: string, target: string, typeOnly: boolean): Import {
  if (target === '@millrace/client') return { target: 'client/src/index.ts', isFile: true, typeOnly };
  if (!target.startsWith('.')) return { target, isFile: false, typeOnly };
  return { target: relative('.', normalize(join(dirname(path), target))), isFile: true, typeOnly };
}

/** Comments at the start of a line or behind a space; those in the middle of a word are parts of strings. */
function withoutComments(text: string): string {
  return text.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** Each circle once, as the path that leads around it. */
function circles(): string[] {
  const targets = new Map(
    files.map(({ path, imports }) => [path, filesIn(imports).map(({ target }) => target)]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) found.push([...way.slice(start), path].join(' -> '));
    if (start >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return found;
}

function isIn(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

function filesIn(imports: readonly Import[]): readonly Import[] {
  return imports.filter(({ isFile }) => isFile);
}

function packagesIn(imports: readonly Import[]): readonly Import[] {
  return imports.filter(({ isFile }) => !isFile);
}

/** `@scope/name/part` -> `@scope/name`; a built-in stays as it is. */
function packageName(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

function dependenciesOf(file: string, list: 'dependencies' | 'devDependencies'): string[] {
  const manifest: { [key in typeof list]?: Record<string, string> } = JSON.parse(
    readFileSync(join(ROOT, file), 'utf8'),
  );
  return Object.keys(manifest[list] ?? {});
}
