import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry'

/** An element of `new SchemaRegistry({ middlewares: [ … ] })`. */
export type RegistryMiddleware = NonNullable<
  ConstructorParameters<typeof SchemaRegistry>[0]['middlewares']
>[number]

/** Returns the result of the work, or throws after the time limit. The work itself is not cancelled. */
export function withinTime<Result>(work: Promise<Result>, timeoutMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

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
    response: (next) => withinTime(next(), timeoutMs),
  })
