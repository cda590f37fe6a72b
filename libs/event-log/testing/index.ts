export { anyEncodedEvent } from './any-encoded-event.ts'
