import { Type } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Registry } from 'prom-client'

import type { HealthRegistry, HealthReport } from '#observability'

import type { HttpServer } from './http-types.ts'
import { onInstallation } from './route-access.ts'

/** What the probes need of the health registry. */
export type HealthSource = Pick<HealthRegistry, 'live' | 'ready'>

const report = Type.Object({
  healthy: Type.Boolean({ description: 'Whether all checks pass' }),
  takesRequests: Type.Boolean({
    description:
      'False when requests should go elsewhere. True with `healthy` false: a part has failed, and the rest continues',
  }),
  checks: Type.Record(Type.String(), Type.Unknown(), {
    description: 'Each check and its result; empty for callers who may not operate the installation',
  }),
})

const healthSchema = (summary: string) => ({
  tags: ['operations'],
  summary,
  response: {
    200: Type.Object(report.properties, { description: 'Takes requests' }),
    503: Type.Object(report.properties, { description: 'Requests should go elsewhere' }),
  },
})

export function addProbes(app: HttpServer, health: HealthSource, metrics: Registry): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply, asked: Promise<HealthReport>) => {
    const found = await asked
    return reply
      .code(found.takesRequests ? 200 : 503)
      .send(mayOperate(request) ? found : withoutChecks(found))
  }
  const config = { access: 'public' } as const
  const live = healthSchema('Whether the process should be kept running')
  app.get('/health/live', { schema: live, config }, (request, reply) => answer(request, reply, health.live()))
  const ready = healthSchema('Whether the service takes requests now')
  app.get('/health/ready', { schema: ready, config }, (request, reply) =>
    answer(request, reply, health.ready()),
  )

  const schema = {
    tags: ['operations'],
    summary: 'Metrics in the text format of Prometheus',
    response: { 200: { description: 'All metrics', content: { 'text/plain': { schema: Type.String() } } } },
  }
  app.get('/metrics', { schema, config: { access: onInstallation('operate') } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()),
  )
}

const mayOperate = ({ caller }: FastifyRequest): boolean =>
  caller.rights.decide('operate', { kind: 'installation' }).isAllowed

/** Checks name topics, servers and errors, which only operators may see. */
const withoutChecks = ({ healthy, takesRequests }: HealthReport) => ({ healthy, takesRequests, checks: {} })
