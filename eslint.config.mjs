// The rules that a reader may rely on. typescript-eslint's strict and stylistic sets, with type information, plus the
// project's own invariants (ARCHITECTURE.md) as far as syntax shows them; what a room may import is the concern of
// .dependency-cruiser.mjs, and layout is Prettier's.
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** @param {string} selector @param {string} message */
const forbid = (selector, message) => ({ selector, message });

const EVERYWHERE = [
  forbid('ExportDefaultDeclaration', 'Names are exported, so that they are the same everywhere.'),
  forbid(
    'BinaryExpression[operator="instanceof"][right.name="SPMigrationError"]',
    'Use isSPMigrationError: the executable may hold the class in another chunk.',
  ),
];

const IN_CORE = [
  ...EVERYWHERE,
  forbid('NewExpression[callee.name="SPMigrationError"]', 'Use fail(): errors come from the catalogue.'),
  forbid('MetaProperty', 'The executable has no files beside its modules: import.meta means nothing there.'),
  // RangeError and TypeError stay for what only a mistake in our own code can bring about.
  forbid(
    'ThrowStatement > NewExpression[callee.name="Error"]',
    'Use throw fail(): errors come from the catalogue.',
  ),
];

const PLATFORM = [
  'MemberExpression[object.name="process"]:matches([property.name="platform"], [property.value="platform"])',
  'VariableDeclarator[init.name="process"] > ObjectPattern > Property[key.name="platform"]',
  'ImportDeclaration[source.value=/^(node:)?process$/]',
  'ImportDeclaration[source.value=/^(node:)?os$/] ImportSpecifier[imported.name=/^(platform|type|release|version)$/]',
  // By these they could be called without being named in the import.
  'ImportDeclaration[source.value=/^(node:)?os$/] > :matches(ImportNamespaceSpecifier, ImportDefaultSpecifier)',
].map((selector) => forbid(selector, 'Only adapters and compose.ts know which system this is.'));

/** Time and randomness are arguments. */
const IMPURE = [
  forbid('CallExpression[callee.object.name="Date"][callee.property.name="now"]', 'Time is an argument.'),
  forbid('NewExpression[callee.name="Date"][arguments.length=0]', 'Time is an argument.'),
  forbid(
    'CallExpression[callee.object.name="Math"][callee.property.name="random"]',
    'Randomness is an argument.',
  ),
];

const restrict = (/** @type {{ selector: string, message: string }[]} */ ...rules) => ({
  'no-restricted-syntax': ['error', ...rules],
});

export default defineConfig(
  globalIgnores(['build/', 'dist/', '.cache/', 'test/pshost/', 'test/vectors/']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // A number in a message reads as it is.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `_` says that a parameter is there for its place only.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      ...restrict(...EVERYWHERE),
    },
  },
  {
    files: ['core/src/**/*.ts'],
    rules: {
      'no-console': 'error',
      'max-lines': ['error', { max: 350, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/no-restricted-types': [
        'error',
        { types: { Buffer: 'Bytes are Uint8Array; Buffer is Node’s and hides in no signature.' } },
      ],
      ...restrict(...IN_CORE, ...PLATFORM, ...IMPURE),
    },
  },
  {
    files: ['core/src/adapters/**/*.ts', 'core/src/compose.ts'],
    rules: restrict(...IN_CORE),
  },
  {
    // Where errors are made, and the one room that may not even know them.
    files: ['core/src/domain/error.ts', 'core/src/bytes/**/*.ts'],
    rules: restrict(...EVERYWHERE, ...PLATFORM, ...IMPURE),
  },
  {
    // What these files export by default is what their users import: yargs, vitest.
    files: ['scripts/build/shims/*.ts', '*.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // A test may state what it knows about its own input.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // expect(port.method) names a double's method without calling it.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
