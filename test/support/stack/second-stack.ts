import type { Installation } from '../services/real-writer.ts'
import { openTestStack, type OpenStack } from './stack-variants.ts'

/** A separate, empty stack, as the target of a restore. */
export const startSecondStack = (): Promise<OpenStack> =>
  openTestStack({
    ANNALS_TEST_STACK: process.env['ANNALS_TEST_STACK'] === 'testcontainers' ? 'testcontainers' : 'native',
  })

/** The same installation on another stack, with the same domain, schemas and settings. */
export const movedTo = (where: Installation, { stack }: OpenStack): Installation => ({
  ...where,
  env: {
    ...where.env,
    ANNALS_KAFKA_BROKERS: stack.kafkaBrokers.join(','),
    ANNALS_REDIS_URL: stack.redisUrl,
    ANNALS_REGISTRY_URL: stack.registryUrl,
  },
})
