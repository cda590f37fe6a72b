import { createHttpServer, type HttpRoutes, listen } from '#http'

import type { RunningService, ServiceParts } from './run-service.ts'
import { rethrowTlsProblem, tlsSettings } from './tls-settings.ts'
import { version } from './version.ts'

/** What a process serves: one service, or one of several. */
export interface ServicePart {
  readonly routes: HttpRoutes
  start(): Promise<void>
  /** Finishes running work and hands over to other instances. */
  stop(): Promise<void>
}

/**
 * Serves parts with one HTTP server. It listens before they start and until they have stopped: requests for moving
 * partitions are still accepted and forwarded.
 * @param title of the API, as shown in its documentation
 * @throws ConfigError when a TLS file cannot be used
 */
export async function serve(
  { config, backends, health, metrics, logger, protection }: ServiceParts,
  title: string,
  parts: readonly ServicePart[],
): Promise<RunningService> {
  backends.cluster.holdTo(backends.topics)
  const { operationsPort } = config.http
  const operations = operationsPort === undefined ? {} : { operationsPort }
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
    ...operations,
    ...(protection?.guard && { guard: protection.guard }),
    ...(protection && { limits: protection.limits }),
    hosts: [new URL(config.http.advertisedUrl).host, ...config.http.allowedHosts],
    ...tlsSettings(config),
  }).catch(rethrowTlsProblem)
  for (const { routes } of parts) await server.register(routes)
  await listen(server, { host: config.http.host, port: config.http.port, ...operations })
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
    // A part that cannot start hands over and stops; otherwise the open server would keep the process alive. The first
    // error is the one that counts.
    await stop().catch((reason: unknown) => logger.warn({ err: reason }, 'cannot stop in order either'))
    throw error
  }
  return { url: config.http.advertisedUrl, stop }
}
