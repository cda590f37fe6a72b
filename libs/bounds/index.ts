export { Admission, type HoldBytes } from './admission.ts'
export { overloaded } from './overloaded.ts'
export { Lane, readTurns, requestTurns, subscriberTurns } from './turns.ts'
