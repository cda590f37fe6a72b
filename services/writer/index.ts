export { openWriter, startWriterService, type WriterService } from './writer-service.ts'
export { writerRoutes } from './http/writer-routes.ts'
export { Writer, type WriterParts } from './writer.ts'
export { writerSettings, type WriterSettings } from './writer-settings.ts'
