// Which room may import what: ARCHITECTURE.md's table, checked by `npm run rooms`. Imports of types count as well.
// A room that is not named in another's line is closed to it; so are Node's modules and npm's packages.

/**
 * @typedef {object} Room
 * @property {readonly string[]} [rooms] other rooms under core/src
 * @property {string} [node] pattern of Node's modules
 * @property {string} [packages] pattern of npm's packages
 */

/** @type {Readonly<Record<string, Room>>} */
const ROOMS = {
  bytes: {},
  domain: { rooms: ['bytes'] },
  format: { rooms: ['bytes', 'domain'] },
  'crypto/x509-making': {
    rooms: ['bytes', 'domain', 'crypto'],
    node: 'crypto|util',
    packages: '@peculiar/x509|reflect-metadata',
  },
  'crypto/pkcs12': { rooms: ['bytes', 'domain', 'crypto'], node: 'crypto|util', packages: 'node-forge' },
  crypto: { rooms: ['bytes', 'domain'], node: 'crypto|util' },
  tpm2: { rooms: ['bytes', 'domain', 'crypto'] },
  sealing: { rooms: ['bytes', 'domain', 'format', 'crypto', 'tpm2'] },
  ports: { rooms: ['bytes', 'domain'] },
  operations: { rooms: ['bytes', 'domain', 'format', 'crypto', 'sealing', 'ports', 'version'] },
  'adapters/chip-software': { rooms: ['ports', 'bytes', 'domain', 'tpm2', 'crypto'], node: '.*' },
  'adapters/chip-tpm2': { rooms: ['ports', 'bytes', 'domain', 'tpm2', 'crypto'], node: '.*' },
  'adapters/store-file': { rooms: ['ports', 'bytes', 'domain', 'format'], node: '.*' },
  'adapters/zip': {
    rooms: ['ports', 'bytes', 'domain', 'format'],
    node: '.*',
    packages: 'archiver|unzipper',
  },
  'adapters/system': { rooms: ['ports', 'bytes', 'domain'], node: '.*' },
  cli: { rooms: ['operations', 'domain', 'format', 'bytes', 'version'], node: '(?!fs).*', packages: 'yargs' },
};

/** A room is a folder, or a single file of that name. @param {string} room */
const pathOf = (room) => `^core/src/${room}[/.]`;

/** A pattern for the names of npm's packages, with their types. @param {string} names */
const packageFolder = (names) => `node_modules/(@types/)?(${names})(/|$)`;

/** Rooms that lie within another: the outer one's rules do not apply to them. @param {string} room */
const within = (room) => Object.keys(ROOMS).filter((other) => other.startsWith(`${room}/`));

const rules = Object.entries(ROOMS).flatMap(([room, { rooms = [], node, packages }]) => {
  const inner = within(room);
  const from = {
    path: pathOf(room),
    ...(inner.length > 0 && { pathNot: inner.map(pathOf) }),
  };
  const allowed = [room, ...rooms].map(pathOf);
  const name = room.replace('/', '-');
  return [
    {
      name: `${name}-rooms`,
      comment: `${room} may import ${rooms.join(', ') || 'no other room'}`,
      severity: 'error',
      from,
      to: { path: '^core/src/', pathNot: allowed },
    },
    {
      name: `${name}-node`,
      comment: `${room} may import ${node === undefined ? 'none of Node’s modules' : `node:${node}`}`,
      severity: 'error',
      from,
      to: { dependencyTypes: ['core'], ...(node !== undefined && { pathNot: `^(node:)?(${node})$` }) },
    },
    {
      name: `${name}-packages`,
      comment: `${room} may import ${packages ?? 'no package'}`,
      severity: 'error',
      from,
      to: {
        path: 'node_modules/',
        pathNot: ['node_modules/@types/node/', ...(packages === undefined ? [] : [packageFolder(packages)])],
      },
    },
  ];
});

export default {
  forbidden: [
    ...rules,
    {
      name: 'every-room-has-rules',
      comment: 'A new folder under core/src needs a line in the table above',
      severity: 'error',
      from: {
        path: '^core/src/[^/]+/',
        pathNot: Object.keys(ROOMS).map(pathOf),
      },
      to: {},
    },
    {
      name: 'no-cycles',
      comment: 'Two modules that need each other are one module, or a third is missing',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'only-main-composes',
      comment: 'compose.ts is where adapters meet operations; only the entries may use it',
      severity: 'error',
      from: { path: '^core/src/', pathNot: '^core/src/main\\.ts$' },
      to: { path: '^core/src/compose\\.ts$' },
    },
    {
      name: 'core-stands-alone',
      comment: 'Nothing that ships may depend on scripts, tests or the PowerShell module',
      severity: 'error',
      from: { path: '^core/src/' },
      to: { path: '^(scripts|test|psmodule)/' },
    },
    {
      name: 'nothing-missing',
      comment: 'An import that cannot be resolved, or a package that package.json does not name',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-packages-in-core',
      comment: 'What ships is a dependency, not a devDependency (types excepted)',
      severity: 'error',
      from: { path: '^core/src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/@types/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^test/pshost/|^(build|dist)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
