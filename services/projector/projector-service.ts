import { PeerCheck } from '#client'
import {
  groupMember,
  openViewStore,
  type RunningService,
  serve,
  type ServicePart,
  type ServiceParts,
} from '#service'

import { projectionRoutes } from './http/projection-routes.ts'
import { Projector } from './projector.ts'
import { projectorSettings } from './projector-settings.ts'

export interface ProjectorService extends RunningService {
  readonly projector: Projector
}

interface ProjectorOptions {
  /** Whether the process has other parts. They keep serving while there are no views. */
  readonly isPart?: boolean
}

/** Creates a projector as a part of a process; it is not started yet. */
export function openProjector(
  parts: ServiceParts,
  { isPart = false }: ProjectorOptions = {},
): ServicePart & { readonly projector: Projector } {
  const { config, backends, health } = parts
  const store = openViewStore(config, backends.redis)
  const settings = projectorSettings(config)
  const member = groupMember('projector', settings.groupId, parts, PeerCheck)
  const projector = new Projector({ ...member.parts, store, settings })
  health.add({ name: 'projections', kind: 'readiness', check: () => projector.checkServing() })
  health.add({ name: 'views', kind: isPart ? 'part' : 'readiness', check: () => projector.checkViews() })
  const routes = projectionRoutes(projector.api)
  return { projector, ...member.servicePart(projector, routes, () => store.close()) }
}

/** Starts a projector with its own HTTP server. */
export async function startProjectorService(parts: ServiceParts): Promise<ProjectorService> {
  const part = openProjector(parts)
  return { ...(await serve(parts, 'Annals projections', [part])), projector: part.projector }
}
