// The process that shutdown.test.ts runs. It opens what its arguments name, reports that it is ready, and waits. Each
// argument is one step: `ok:<name>`, `fails:<name>`, `hangs:<name>`; `begin` begins the shutdown, `throws` throws.
import { createLogger } from '../logger.ts'
import { createShutdown } from '../shutdown.ts'

const logger = createLogger({ name: 'shutdown', pretty: false })
const shutdown = createShutdown({ logger, deadlineMs: Number(process.env['DEADLINE_MS']) })
const forever = setInterval(() => undefined, 1_000)

const close = {
  ok: () => clearInterval(forever),
  fails: () => Promise.reject(new Error('cannot close')),
  hangs: () => new Promise(() => undefined),
}

for (const argument of process.argv.slice(2)) {
  const [kind = '', name = ''] = argument.split(':')
  const closeStep = close[kind as keyof typeof close] as (() => unknown) | undefined
  if (closeStep === undefined) continue
  shutdown.onShutdown(name, () => {
    logger.info(`closing ${name}`)
    return closeStep()
  })
}
logger.info('ready')
if (process.argv.includes('begin')) shutdown.begin()
if (process.argv.includes('throws'))
  setImmediate(() => {
    throw new Error('this is uncaught')
  })
