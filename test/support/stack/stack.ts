import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { until } from '../../../scripts/stack/index.ts'

/** Where the servers of this test run listen. */
export interface TestStack {
  /** Each `host:port`. */
  readonly kafkaBrokers: readonly string[]
  readonly redisUrl: string
  /** URL of the Confluent-compatible API: `http://…/apis/ccompat/v7`. */
  readonly registryUrl: string
}

declare module 'vitest' {
  interface ProvidedContext {
    stack: TestStack
  }
}

/** The stack that vitest's global set-up started or found for this run; all test files share it. */
export function testStack(): TestStack {
  return inject('stack')
}

/** A unique name for topics, key prefixes and groups on the shared stack. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`
}

/**
 * Calls `probe` until it returns something truthy, and returns that. A probe that throws is called again.
 * @throws Error naming `what` after `timeoutMs`; default 30 s
 */
export function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  options: { readonly timeoutMs?: number } = {},
): Promise<T> {
  return until(what, options.timeoutMs ?? 30_000, probe)
}
