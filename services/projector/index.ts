export { projectionRoutes } from './http/projection-routes.ts'
export { openProjector, type ProjectorService, startProjectorService } from './projector-service.ts'
export { Projector, type ProjectorParts } from './projector.ts'
export { projectorSettings, type ProjectorSettings } from './projector-settings.ts'
