import type { Fault } from './fault.ts'

export const topicFaults: readonly Fault[] = []
