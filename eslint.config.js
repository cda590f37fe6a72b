import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['node_modules/', '.annals/', 'coverage/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.js', '.*.js'] } } },
    rules: {
      'no-console': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  // An example prints what it shows.
  { files: ['examples/*/main.ts'], rules: { 'no-console': 'off' } },
  // A describe block is one long function by nature; what matters is the length of each test in it.
  { files: ['**/*.test.ts', '**/*.contract.ts'], rules: { 'max-lines-per-function': 'off' } },
  // These talk to a person on a terminal, so their output is their interface.
  { files: ['scripts/**', 'bench/**', 'services/cli/**'], rules: { 'no-console': 'off' } },
  // Jobs run in services as well as on a terminal: what they need of their process comes from outside.
  {
    files: ['libs/operations/**'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'console'],
      'no-restricted-imports': [
        'error',
        ...['process', 'tty', 'readline', 'readline/promises', 'repl', 'console'].flatMap((name) => [
          name,
          `node:${name}`,
        ]),
      ],
    },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
)
