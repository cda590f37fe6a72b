import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'

/** What `new SchemaRegistry({ middlewares: [ … ] })` takes. */
export type RegistryMiddleware = NonNullable<
  ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']
>[number]

/** The result of work, or an error once the time is over. The work itself goes on. */
export function withinTime<Result>(work: Promise<Result>, timeoutMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/**
 * Gives a `SchemaRegistry` the time limit that it lacks. Without one it waits for ever for a registry that accepts a
 * connection and stays silent or closes it halfway, and each later request for the same schema waits with it.
 * Pass it last: `new SchemaRegistry({ host, middlewares: [registryTimeout(5_000)] })`.
 * @param timeoutMs of one request with all of its retries.
 */
export const registryTimeout =
  (timeoutMs: number): RegistryMiddleware =>
  () => ({
    // The signal ends the request and frees its socket; the race ends the wait where the client misses the end.
    prepareRequest: async (next) => (await next()).enhance({ signal: AbortSignal.timeout(timeoutMs) }),
    response: (next) => withinTime(next(), timeoutMs),
  })
