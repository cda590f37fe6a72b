import { AnnalsClient, PeerCheck, PeerClients } from '#client'
import type { AggregateStore } from '#domain'
import {
  allRoutes,
  peerPath,
  peerRoute,
  reportForeign,
  type RunningService,
  serve,
  type ServicePart,
  type ServiceParts,
} from '#service'

import { snapshotterRoutes } from './http/snapshotter-routes.ts'
import { Snapshotter } from './snapshotter.ts'
import { snapshotterSettings } from './snapshotter-settings.ts'

export interface SnapshotterService extends RunningService {
  readonly snapshotter: Snapshotter
}

const loadTimeoutMs = 5_000
/** The snapshotter itself tries again for as long as it takes; this only spares it that where one writer of several is away. */
const retries = { totalMsMax: 1_000 }
/** A cleanup reads all that the other instance owns of a topic. */
const peerTimeoutMs = 60_000

/**
 * A snapshotter that is not running yet, as a part of a process. Its stop leaves the backends open.
 * @param store where aggregates are loaded from; nothing is appended.
 */
export function openSnapshotter(
  parts: ServiceParts,
  store: AggregateStore,
): ServicePart & { readonly snapshotter: Snapshotter } {
  const { config, backends, health, metrics, logger } = parts
  const peers = new PeerClients(peerTimeoutMs)
  const settings = snapshotterSettings(config)
  const group = { clusterId: backends.cluster.clusterId, groupId: settings.groupId }
  const check = new PeerCheck(peerPath('snapshotter'), group)
  const snapshotter = new Snapshotter({
    ...backends,
    store,
    peerAt: (url) => peers.at(url),
    advertisedUrl: config.http.advertisedUrl,
    verifyPeer: (owner) => check.verdict(owner),
    onForeign: reportForeign('snapshotter', metrics, logger),
    settings,
    metrics,
    logger,
  })
  health.add({ name: 'snapshots', kind: 'readiness', check: () => snapshotter.checkServing() })
  return {
    snapshotter,
    routes: allRoutes(
      snapshotterRoutes(snapshotter.api),
      peerRoute('snapshotter', { ...group, instance: snapshotter.instance }),
    ),
    start: () => snapshotter.start(),
    stop: async () => {
      await snapshotter.stop()
      await check.close()
      peers.close()
      logger.info('the snapshotter has stopped')
    },
  }
}

/** A snapshotter that listens, and loads aggregates from the writers that its settings name. */
export async function startSnapshotterService(parts: ServiceParts): Promise<SnapshotterService> {
  const writers = new AnnalsClient({
    urls: parts.config.snapshotter.writerUrls,
    timeoutMs: loadTimeoutMs,
    retries,
  })
  const part = openSnapshotter(parts, writers)
  const stop = async () => {
    await part.stop()
    await writers.close()
  }
  const service = await serve(parts, 'Annals snapshots', [{ ...part, stop }])
  return { ...service, snapshotter: part.snapshotter }
}
