import { PeerCheck } from '#client'
import {
  allRoutes,
  openViewStore,
  peerPath,
  peerRoute,
  reportForeign,
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

export interface ProjectorOptions {
  /** Whether the process does more than that, which goes on where there are no views. */
  readonly isPart?: boolean
}

/** A projector that is not running yet, as a part of a process. Its stop leaves the backends open. */
export function openProjector(
  parts: ServiceParts,
  options: ProjectorOptions = {},
): ServicePart & { readonly projector: Projector } {
  const { config, backends, health, metrics, logger } = parts
  const store = openViewStore(config, backends.redis)
  const settings = projectorSettings(config)
  const group = { clusterId: backends.cluster.clusterId, groupId: settings.groupId }
  const check = new PeerCheck(peerPath('projector'), group)
  const projector = new Projector({
    ...backends,
    store,
    advertisedUrl: config.http.advertisedUrl,
    verifyPeer: (owner) => check.verdict(owner),
    onForeign: reportForeign('projector', metrics, logger),
    settings,
    metrics,
    logger,
  })
  health.add({ name: 'projections', kind: 'readiness', check: () => projector.checkServing() })
  health.add({
    name: 'views',
    kind: options.isPart === true ? 'part' : 'readiness',
    check: () => projector.checkViews(),
  })
  return {
    projector,
    routes: allRoutes(
      projectionRoutes(projector.api),
      peerRoute('projector', { ...group, instance: projector.instance }),
    ),
    start: () => projector.start(),
    stop: async () => {
      await projector.stop()
      await check.close()
      await store.close()
      logger.info('the projector has stopped')
    },
  }
}

/** A projector that listens. */
export async function startProjectorService(parts: ServiceParts): Promise<ProjectorService> {
  const part = openProjector(parts)
  return { ...(await serve(parts, 'Annals projections', [part])), projector: part.projector }
}
