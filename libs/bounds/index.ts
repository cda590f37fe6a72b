export { Admission, type AdmissionOptions, type HoldBytes } from './admission.ts'
export { Lane, readTurns, subscriberTurns, Turns } from './turns.ts'
