import { PeerCheck, PeerClients } from '#client'
import { groupMember, type RunningService, serve, type ServicePart, type ServiceParts } from '#service'

import { writerRoutes } from './http/writer-routes.ts'
import { Writer } from './writer.ts'
import { writerSettings } from './writer-settings.ts'

export interface WriterService extends RunningService {
  readonly writer: Writer
}

/** Creates a writer as a part of a process; it is not started yet. */
export function openWriter(parts: ServiceParts): ServicePart & { readonly writer: Writer } {
  const settings = writerSettings(parts.config)
  const member = groupMember('writer', settings.groupId, parts, PeerCheck)
  const peers = new PeerClients(settings.appendTimeoutMs, member.tls)
  const writer = new Writer({
    ...member.parts,
    identifyPeer: member.identify,
    peerAt: (url, caller) => peers.at(url, member.senderOf(caller)),
    settings,
  })
  parts.health.add({ name: 'partitions', kind: 'readiness', check: () => writer.checkServing() })
  const routes = writerRoutes(writer.api, { eventsPerAppendMax: settings.appendEventsMax })
  return { writer, ...member.servicePart(writer, routes, () => peers.close()) }
}

/** Starts a writer with its own HTTP server. It forwards requests until it owns partitions itself. */
export async function startWriterService(parts: ServiceParts): Promise<WriterService> {
  const part = openWriter(parts)
  return { ...(await serve(parts, 'Annals', [part])), writer: part.writer }
}
