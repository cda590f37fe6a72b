import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { until } from '../../../scripts/stack/index.ts'

/** Where the servers of this test run listen. */
export interface TestStack {
  /** `host:port` each. */
  readonly kafkaBrokers: readonly string[]
  readonly redisUrl: string
  /** Of the Confluent-compatible API: `http://…/apis/ccompat/v7`. */
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

/** A name nobody else uses, for topics, key prefixes and groups: the stack is shared. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString('hex')}`
}

/**
 * Asks `probe` until it returns something true, and returns that; a probe that throws is asked again.
 * @throws Error naming `what` after `timeoutMs` (30 s unless told otherwise)
 */
export function waitFor<T>(
  what: string,
  probe: () => Promise<T | undefined | false>,
  options: { readonly timeoutMs?: number } = {},
): Promise<T> {
  return until(what, options.timeoutMs ?? 30_000, probe)
}
