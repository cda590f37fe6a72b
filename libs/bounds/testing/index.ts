export { busy } from './busy.ts'
