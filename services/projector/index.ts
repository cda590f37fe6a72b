export { projectionRoutes } from './http/projection-routes.ts'
export { openProjector, type ProjectorService, startProjectorService } from './projector-service.ts'
export { Projector } from './projector.ts'
export { projectorSettings } from './projector-settings.ts'
