import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'

import { deadlineIn, within } from '#async'

/** An element of `new SchemaRegistry({ middlewares: [ … ] })`. */
export type RegistryMiddleware = NonNullable<
  ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']
>[number]

/** The error of a request that took longer than its time limit. */
export const noAnswer = (timeoutMs: number): Error => new Error(`no answer within ${timeoutMs} ms`)

/**
 * Adds the time limit that `SchemaRegistry` lacks. Without it, a request never ends when the registry does not answer or closes
 * the connection halfway, and every later request for the same schema waits for it.
 * Pass it last: `new SchemaRegistry({ host, middlewares: [registryTimeout(5_000)] })`.
 * @param timeoutMs time limit of one request including its retries
 */
export const registryTimeout =
  (timeoutMs: number): RegistryMiddleware =>
  () => ({
    // The signal cancels the request and frees its socket. The race ends the wait if the client does not notice.
    prepareRequest: async (next) => (await next()).enhance({ signal: AbortSignal.timeout(timeoutMs) }),
    response: (next) => within(deadlineIn(timeoutMs), next(), () => noAnswer(timeoutMs)),
  })
