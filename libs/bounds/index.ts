export { Admission, type HoldBytes } from './admission.ts'
export { Lane, readTurns, requestTurns, subscriberTurns, Turns } from './turns.ts'
