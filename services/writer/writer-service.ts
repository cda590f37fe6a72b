import { PeerCheck, PeerClients } from '#client'
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

import { writerRoutes } from './http/writer-routes.ts'
import { Writer } from './writer.ts'
import { writerSettings } from './writer-settings.ts'

export interface WriterService extends RunningService {
  readonly writer: Writer
}

/** A writer that is not running yet, as a part of a process. Its stop leaves the backends open. */
export function openWriter(parts: ServiceParts): ServicePart & { readonly writer: Writer } {
  const { config, backends, health, logger, metrics } = parts
  const settings = writerSettings(config)
  const peers = new PeerClients(settings.appendTimeoutMs)
  const group = { clusterId: backends.cluster.clusterId, groupId: settings.groupId }
  const check = new PeerCheck(peerPath('writer'), group)
  const writer = new Writer({
    ...backends,
    peerAt: (url) => peers.at(url),
    advertisedUrl: config.http.advertisedUrl,
    verifyPeer: (owner) => check.verdict(owner),
    onForeign: reportForeign('writer', metrics, logger),
    settings,
    metrics,
    logger,
  })
  health.add({ name: 'partitions', kind: 'readiness', check: () => writer.checkServing() })
  return {
    writer,
    routes: allRoutes(
      writerRoutes(writer.api, { eventsPerAppendMax: settings.appendEventsMax }),
      peerRoute('writer', { ...group, instance: writer.instance }),
    ),
    start: () => writer.start(),
    stop: async () => {
      await writer.stop()
      await check.close()
      peers.close()
      logger.info('the writer has stopped')
    },
  }
}

/** A writer that listens. It takes requests from the start, and passes them on until it owns partitions itself. */
export async function startWriterService(parts: ServiceParts): Promise<WriterService> {
  const part = openWriter(parts)
  return { ...(await serve(parts, 'Annals', [part])), writer: part.writer }
}
