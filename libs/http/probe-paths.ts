import type { FastifyRequest } from 'fastify'

/** Requested every few seconds by monitoring. */
const probePaths: readonly (string | undefined)[] = ['/health/live', '/health/ready', '/metrics']

/** Whether a route's path is for health or metrics. */
export const isProbePath = (path: string | undefined): boolean => probePaths.includes(path)

/** Whether a request is for health or metrics. Such requests are answered before all others and are not traced. */
export const isProbe = ({ routeOptions }: FastifyRequest): boolean => isProbePath(routeOptions.url)
