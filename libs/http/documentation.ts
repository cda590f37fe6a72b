import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

/**
 * Serves `/openapi.json`, and `/docs` that displays it. The pages load only their own scripts and styles, and cannot
 * be framed.
 */
export async function describeApi(
  app: FastifyInstance,
  { title, version }: { readonly title: string; readonly version: string },
): Promise<void> {
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title, version } } })
  await app.register(async (pages) => {
    await pages.register(helmet, pageProtection)
    await pages.register(swaggerUi, { routePrefix: '/docs', uiConfig: { requestInterceptor: sendAsJson } })
  })
  app.get('/openapi.json', { schema: { hide: true }, config: { access: 'public' } }, () => app.swagger())
}

const pageProtection = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'script-src': ["'self'"],
      'style-src': ["'self'", "'unsafe-inline'"],
      'img-src': ["'self'", 'data:'],
      'font-src': ["'self'"],
      'connect-src': ["'self'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
    },
  },
  frameguard: { action: 'deny' },
  // The proxy that ends TLS in front of this service sets it for its own name.
  hsts: false,
} as const

interface PageRequest {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/**
 * Runs in the page: changes without a body are sent as JSON too. Its source text is embedded, so it uses nothing from
 * outside.
 */
function sendAsJson(request: PageRequest): PageRequest {
  const { method, body, headers } = request
  if (method !== 'GET' && body === undefined && headers !== undefined)
    headers['Content-Type'] = 'application/json'
  return request
}
