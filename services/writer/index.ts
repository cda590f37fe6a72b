export { openWriter, startWriterService, type WriterService } from './writer-service.ts'
export { writerRoutes } from './http/writer-routes.ts'
