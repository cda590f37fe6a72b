import { AnnalsClient, Peers } from '#client'
import { createHttpServer, type HttpServer } from '#http'
import type { RunningService, ServiceParts } from '#service'

import { snapshotterRoutes } from './http/snapshotter-routes.ts'
import { Snapshotter } from './snapshotter.ts'
import { snapshotterSettings } from './snapshotter-settings.ts'

export interface SnapshotterService extends RunningService {
  readonly snapshotter: Snapshotter
  /** Finishes the snapshots under way, and closes. The backends stay open. */
  stop(): Promise<void>
}

const loadTimeoutMs = 5_000
/** The snapshotter itself tries again for as long as it takes; this only saves it a new beginning where one writer is away. */
const retries = { totalMsMax: 1_000 }
/** A cleanup reads what the other instance owns of a topic. */
const peerTimeoutMs = 60_000

/** A snapshotter in a process of its own: it listens, and loads aggregates from the writers. */
export async function startSnapshotterService(parts: ServiceParts): Promise<SnapshotterService> {
  const { config, backends, health, logger, metrics } = parts
  const writers = new AnnalsClient({
    urls: config.snapshotter.writerUrls,
    timeoutMs: loadTimeoutMs,
    retries,
  })
  const peers = new Peers(peerTimeoutMs)
  const snapshotter = new Snapshotter({
    ...backends,
    store: writers,
    peerAt: (url) => peers.at(url),
    advertisedUrl: config.http.advertisedUrl,
    settings: snapshotterSettings(config),
    metrics,
    logger,
  })
  health.add({ name: 'snapshots', kind: 'readiness', check: () => snapshotter.checkServing() })
  const server = await listeningServer(parts, snapshotter)
  await snapshotter.start()
  return {
    snapshotter,
    url: config.http.advertisedUrl,
    stop: async () => {
      await snapshotter.stop()
      await server.close()
      await writers.close()
      peers.close()
      logger.info('the snapshotter has stopped')
    },
  }
}

async function listeningServer(
  { config, health, metrics, logger }: ServiceParts,
  snapshotter: Snapshotter,
): Promise<HttpServer> {
  const server = await createHttpServer({
    logger,
    health,
    metrics,
    title: 'Annals snapshotter',
    version: '0.1.0',
    bodyLimitBytes: config.http.bodyBytesMax,
  })
  await server.register(snapshotterRoutes(snapshotter.api))
  await server.listen({ host: config.http.host, port: config.http.port })
  return server
}
