export { guardStream } from './guard-stream.ts'
