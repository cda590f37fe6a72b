import { Peers } from '#client'
import { createHttpServer, type HttpServer } from '#http'
import type { RunningService, ServiceParts } from '#service'

import { writerRoutes } from './http/writer-routes.ts'
import { Writer } from './writer.ts'
import { writerSettings } from './writer-settings.ts'

export interface WriterService extends RunningService {
  readonly writer: Writer
  /** Finishes what is under way, hands the partitions over, and closes. The backends stay open. */
  stop(): Promise<void>
}

/** A writer that listens. It takes requests from the start, and passes them on until it owns partitions itself. */
export async function startWriterService(parts: ServiceParts): Promise<WriterService> {
  const { config, backends, health, logger, metrics } = parts
  const settings = writerSettings(config)
  const peers = new Peers(settings.appendTimeoutMs)
  const writer = new Writer({
    ...backends,
    peerAt: (url) => peers.at(url),
    advertisedUrl: config.http.advertisedUrl,
    settings,
    metrics,
    logger,
  })
  health.add({
    name: 'partitions',
    kind: 'readiness',
    check: () => writer.checkServing(),
  })
  const server = await listeningServer(parts, writer)
  await writer.start()
  return {
    writer,
    url: config.http.advertisedUrl,
    // Partitions first: while they move, requests for them are still taken and passed on to the next owners.
    stop: async () => {
      await writer.stop()
      await server.close()
      peers.close()
      logger.info('the writer has stopped')
    },
  }
}

async function listeningServer(
  { config, health, metrics, logger }: ServiceParts,
  writer: Writer,
): Promise<HttpServer> {
  const server = await createHttpServer({
    logger,
    health,
    metrics,
    title: 'Annals',
    version: '0.1.0',
    bodyLimitBytes: config.http.bodyBytesMax,
  })
  await server.register(writerRoutes(writer.api))
  await server.listen({ host: config.http.host, port: config.http.port })
  return server
}
