import { AnnalsClient, PeerCheck, PeerClients } from '#client'
import type { AggregateStore } from '#domain'
import {
  groupMember,
  internalCaller,
  peerTls,
  peerTokens,
  type RunningService,
  serve,
  type ServicePart,
  type ServiceParts,
  signedSender,
} from '#service'

import { snapshotterRoutes } from './http/snapshotter-routes.ts'
import { Snapshotter } from './snapshotter.ts'
import { snapshotterSettings } from './snapshotter-settings.ts'

export interface SnapshotterService extends RunningService {
  readonly snapshotter: Snapshotter
}

const loadTimeoutMs = 5_000
/** Covers the short absence of one of several writers. The snapshotter itself retries without limit. */
const retries = { totalMsMax: 1_000 }
/** A clean-up reads all partitions of a topic that the other instance owns. */
const peerTimeoutMs = 60_000

/**
 * Creates a snapshotter as a part of a process; it is not started yet.
 * @param store loads aggregates; nothing is appended
 */
export function openSnapshotter(
  parts: ServiceParts,
  store: AggregateStore,
): ServicePart & { readonly snapshotter: Snapshotter } {
  const settings = snapshotterSettings(parts.config)
  const member = groupMember('snapshotter', settings.groupId, parts, PeerCheck)
  const peers = new PeerClients(peerTimeoutMs, member.tls)
  const snapshotter = new Snapshotter({
    ...member.parts,
    store,
    peerAt: (url, caller) => peers.at(url, member.senderOf(caller)),
    settings,
  })
  parts.health.add({ name: 'snapshots', kind: 'readiness', check: () => snapshotter.checkServing() })
  const routes = snapshotterRoutes(snapshotter.api)
  return { snapshotter, ...member.servicePart(snapshotter, routes, () => peers.close()) }
}

/** Starts a snapshotter with its own HTTP server. It loads aggregates from the writers in its settings, in its own name. */
export async function startSnapshotterService(parts: ServiceParts): Promise<SnapshotterService> {
  const sender = signedSender(peerTokens(parts.config), internalCaller('annals-snapshotter'))
  const tls = peerTls(parts.config)
  const writers = new AnnalsClient({
    urls: parts.config.snapshotter.writerUrls,
    timeoutMs: loadTimeoutMs,
    retries,
    ...(tls && { tls }),
    ...(sender && { headersFor: ({ href }) => sender.headersFor(href) }),
  })
  const part = openSnapshotter(parts, writers)
  const stop = async () => {
    await part.stop()
    await writers.close()
  }
  const service = await serve(parts, 'Annals snapshots', [{ ...part, stop }])
  return { ...service, snapshotter: part.snapshotter }
}
