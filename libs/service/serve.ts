import { createHttpServer, type HttpRoutes, listen } from '#http'

import type { RunningService, ServiceParts } from './run-service.ts'
import { version } from './version.ts'

/** What a process serves: a service, or one of several in one process. */
export interface ServicePart {
  readonly routes: HttpRoutes
  start(): Promise<void>
  /** Finishes what is under way and hands over to others. */
  stop(): Promise<void>
}

/**
 * Serves parts by one HTTP server. It listens before they start, and until they have stopped: while partitions move,
 * requests for them are still taken and passed on.
 * @param title of the API, as its documentation shows it.
 */
export async function serve(
  { config, backends, health, metrics, logger }: ServiceParts,
  title: string,
  parts: readonly ServicePart[],
): Promise<RunningService> {
  backends.cluster.holdTo(backends.topics)
  const server = await createHttpServer({
    logger,
    health,
    metrics,
    title,
    version,
    bodyLimitBytes: config.http.bodyBytesMax,
    bodiesBytesMax: config.http.bodiesBytesMax,
    requestsMax: config.http.requestsMax,
    subscribersMax: config.http.subscribersMax,
    unread: { bytesMax: config.http.unreadBytesMax },
    requestTimeoutMs: config.http.requestTimeoutMs,
    connectionsMax: config.http.connectionsMax,
    connectionsPerAddressMax: config.http.connectionsPerAddressMax,
    hosts: [new URL(config.http.advertisedUrl).host, ...config.http.allowedHosts],
  })
  for (const { routes } of parts) await server.register(routes)
  await listen(server, { host: config.http.host, port: config.http.port })
  const begun: ServicePart[] = []
  const stop = async () => {
    for (const part of begun.toReversed()) await part.stop()
    await server.close()
  }
  try {
    for (const part of parts) {
      begun.push(part)
      await part.start()
    }
  } catch (error) {
    // Whoever cannot start hands over and goes, or the open server would keep the process. Why it could not is what counts.
    await stop().catch((reason: unknown) => logger.warn({ err: reason }, 'cannot stop in order either'))
    throw error
  }
  return { url: config.http.advertisedUrl, stop }
}
