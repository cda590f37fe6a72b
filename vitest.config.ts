import { join } from 'node:path'

import { defineConfig } from 'vitest/config'

import { LongestFirst } from './test/support/longest-first.ts'

const project = (name: string, include: string[], options: object = {}) => ({
  extends: true as const,
  test: { name, include, ...options },
})

// Servers of tests live for a short time. Without the second compiler, Kafka starts with half of the processor time.
process.env['JDK_JAVA_OPTIONS'] ??= '-XX:TieredStopAtLevel=1'
// Services and commands that tests start; ./scripts/test.sh sets it too.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '.annals', 'compile-cache')

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    // How long it takes is not what is asked: shared machines stand still for seconds at times.
    expect: { poll: { timeout: 20_000 } },
    // From kafkajs, whenever it waits for a time that is over.
    execArgv: ['--disable-warning=TimeoutNegativeWarning'],
    coverage: {
      provider: 'v8',
      include: ['libs/domain/**', 'libs/event-store/**', 'libs/schemas/**'],
      exclude: ['**/*.test.ts', '**/testing/**', '**/index.ts'],
      thresholds: { lines: 95 },
    },
    projects: [
      project(
        'unit',
        [
          'libs/**/*.test.ts',
          'services/**/*.test.ts',
          'examples/**/*.test.ts',
          'scripts/**/*.test.ts',
          'test/unit/**/*.test.ts',
          // Unit tests of the harness. test/faults and test/proof run it against the product.
          'test/faults/harness/**/*.test.ts',
        ],
        // Files share modules, in any order: importing them again for each file took two thirds of the time.
        { maxWorkers: 2, isolate: false, testTimeout: 30_000 },
      ),
      project('integration', ['test/integration/**/*.test.ts'], {
        globalSetup: 'test/support/stack/stack.setup.ts',
        testTimeout: 60_000,
        hookTimeout: 60_000,
        // More than the cores of a small machine: they wait most of their time.
        maxWorkers: 3,
        sequence: { groupOrder: 1 },
      }),
      project('faults', ['test/faults/*.test.ts'], {
        globalSetup: 'test/support/stack/stack.setup.ts',
        testTimeout: 120_000,
        hookTimeout: 120_000,
        // Mostly they wait: for sessions to end, for brokers to come back. With three at a time, those of e2e took twice as long.
        maxWorkers: 2,
        sequence: { groupOrder: 2 },
      }),
      project('e2e', ['test/e2e/**/*.test.ts'], {
        testTimeout: 240_000,
        hookTimeout: 60_000,
        maxWorkers: 2,
        sequence: { groupOrder: 2 },
      }),
      // Broken variants, and an overload: `npm run test:proof`.
      project('proof', ['test/proof/**/*.test.ts'], {
        globalSetup: 'test/support/stack/stack.setup.ts',
        fileParallelism: false,
        sequence: { groupOrder: 3 },
      }),
    ],
  },
})
