import type { FastifyRequest } from 'fastify'

/** Asked every few seconds by machines. */
const probePaths: readonly (string | undefined)[] = ['/health/live', '/health/ready', '/metrics']

/** Whether a request is for health or metrics: answered before all else, and of no interest in traces. */
export const isProbe = ({ routeOptions }: FastifyRequest): boolean => probePaths.includes(routeOptions.url)
