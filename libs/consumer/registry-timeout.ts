import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'

/** An element of `new SchemaRegistry({ middlewares: [ … ] })`. */
export type RegistryMiddleware = NonNullable<
  ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']
>[number]

/** The result of work, or an error after the time limit. The work itself is not cancelled. */
export function withinTime<Result>(work: Promise<Result>, timeoutMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/**
 * Adds the time limit that `SchemaRegistry` lacks. Without it a request never ends when the registry stays silent or closes
 * the connection halfway, and every later request for the same schema waits for it.
 * Pass it last: `new SchemaRegistry({ host, middlewares: [registryTimeout(5_000)] })`.
 * @param timeoutMs of one request with all of its retries.
 */
export const registryTimeout =
  (timeoutMs: number): RegistryMiddleware =>
  () => ({
    // The signal cancels the request and frees its socket. The race ends the wait when the client misses that.
    prepareRequest: async (next) => (await next()).enhance({ signal: AbortSignal.timeout(timeoutMs) }),
    response: (next) => withinTime(next(), timeoutMs),
  })
