import tseslint from 'typescript-eslint';

// Inside the controller imports point one way: model <- storage, compute <- services <- api <- main. A service knows
// another only through model/ports.ts or a function handed to its constructor.
const rooms = [
  'model',
  'storage',
  'journal',
  'compute',
  'ted',
  'policies',
  'distribution',
  'kubernetes',
  'access',
  'api',
];
/** Files of apps/controller/src itself: they know the rooms, never the other way round. */
const wiring = 'main|controller|core|config|demo|event-hub|health|log|index|replay|replay/.*';
const mayImport = {
  model: ['model'],
  storage: ['model', 'storage'],
  journal: ['model', 'storage', 'journal'],
  compute: ['model', 'compute'],
  ted: ['model', 'storage', 'ted'],
  policies: ['model', 'storage', 'compute', 'policies'],
  distribution: ['model', 'storage', 'distribution'],
  kubernetes: ['model', 'kubernetes'],
  access: ['model', 'storage', 'access'],
  api: ['model', 'api'],
};

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/generated/**',
      'node_modules/**',
      '.waymark/**',
      'coverage/**',
      'test/mutation/.sandbox/**',
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        project: ['packages/*/tsconfig.json', 'apps/*/tsconfig.json', 'tsconfig.test.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
    },
  },
  ...rooms.map((room) => ({
    files: [`apps/controller/src/${room}/**/*.ts`],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^(\\.\\./)+((${rooms.filter((other) => !mayImport[room].includes(other)).join('|')})/|(${wiring})\\.js$)`,
              message: `${room} may import only from ${mayImport[room].join(', ')}.`,
            },
          ],
        },
      ],
    },
  })),
  {
    // The path engine is pure: no I/O, clock or randomness.
    files: ['packages/topology/src/**/*.ts'],
    ignores: ['**/*.test.ts', 'packages/topology/src/testing/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ group: ['node:*'], message: 'packages/topology is pure.' }] }],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'packages/topology is deterministic.' },
        { object: 'Date', property: 'now', message: 'packages/topology has no clock.' },
        { object: 'performance', property: 'now', message: 'packages/topology has no clock.' },
      ],
    },
  },
  { files: ['**/*.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
  { files: ['bench/**', 'scripts/**', 'test/lab/**'], rules: { 'no-console': 'off' } },
);
