import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { otherTypes } from '../demo/other-types.ts'
import { type DemoClient, runDemo, servesDemo } from '../demo/run-demo.ts'
import { defaultHome, type StackFolders } from '../stack/index.ts'
import { startDetached } from './detach.ts'
import { loginsOf, serviceEnvironment } from './environment.ts'
import { overview } from './overview.ts'
import { preflight } from './preflight.ts'
import { readinessOf } from './readiness.ts'
import { runMain } from './run-main.ts'
import { assertHealthy, findStarted } from './running.ts'
import { readSettings, startHelp, type StackSettings } from './settings.ts'
import type { StackState } from './state.ts'
import { supervise } from './supervisor.ts'

const report = (line: string) => console.log(line)

await runMain(async () => {
  const args = process.argv.slice(2)
  const settings = readSettings(args, process.env)
  if (settings === undefined) {
    console.log(startHelp)
    return
  }
  const running = await findStarted(settings.folders, report)
  if (running !== undefined) {
    assertHealthy(running, settings.folders)
    report(`Already running (${running.state.kind}, since ${running.state.startedAt}):`)
    await filled(running.state, settings)
    await show(running.state, settings)
  } else if (settings.detach) {
    await preflight(environmentOf(settings), report)
    const startedAt = performance.now()
    const state = await startDetached(args, settings.folders, report)
    await filled(state, settings)
    await show(state, settings)
    report(`Ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`)
  } else {
    await preflight(environmentOf(settings), report)
    await supervise(settings, report, async (state) => {
      await filled(state, settings)
      await show(state, settings)
      report('Ctrl-C stops it.')
    })
  }
})

/** How the demo reaches the platform: with the credentials that commands use, too. */
function demoClient(url: string): DemoClient {
  const { ANNALS_TOKEN: token, ANNALS_CA_FILE: caFile } = process.env
  return { url, ...(token && { token }), ...(caFile && { tls: { ca: readFileSync(caFile) } }) }
}

// A function declaration, because code above this line calls it.
function environmentOf(settings: StackSettings): NodeJS.ProcessEnv {
  return { ...process.env, ...serviceEnvironment(settings, process.env) }
}

/** Runs the demo if its example is served. A demo that fails leaves the stack running. */
async function filled(state: StackState, settings: StackSettings): Promise<void> {
  const { parts } = state
  const url = platformOf(parts)
  if (!settings.demo || url === undefined || !servesDemo(process.env)) return
  try {
    const env = { ...process.env, ANNALS_KAFKA_BROKERS: addressOf(parts, 'Kafka') }
    const others = await otherTypes({ ...env, ...loginsOf(state, settings, env) })
    if (others.length > 0) {
      report(
        `Kafka has events of ${others.join(', ')}, so the demo is skipped. Set ANNALS_DOMAIN to the domain modules that serve them.`,
      )
      return
    }
    if (needsToken(process.env)) {
      report(
        'Access is controlled, so the demo is skipped. To run it, set ANNALS_TOKEN to a key with the roles service and operator.',
      )
      return
    }
    await runDemo(demoClient(url), report)
  } catch (error) {
    report(`The demo failed: ${(error as Error).message}`)
    process.exitCode = 1
  }
}

async function show(state: StackState, { folders }: StackSettings): Promise<void> {
  const shown = {
    logs: shortened(folders),
    ...(folders.home !== defaultHome && { home: folders.home }),
    example: servesDemo(process.env),
    needsToken: needsToken(process.env),
  }
  for (const line of overview(state, shown)) report(line)
  for (const trouble of await troublesOf(platformOf(state.parts))) report(`Degraded: ${trouble}`)
}

/** Whether commands need a credential that the environment does not have. */
function needsToken({ ANNALS_ACCESS: access, ANNALS_TOKEN: token }: NodeJS.ProcessEnv): boolean {
  return (access === 'topic' || access === 'file') && !token
}

// A function declaration, because code above this line calls it.
function platformOf(parts: StackState['parts']): string | undefined {
  return addressOf(parts, 'Platform')
}

function addressOf(parts: StackState['parts'], wanted: string): string | undefined {
  return parts.find(({ name }) => name === wanted)?.address
}

/** What a running platform cannot serve now. */
async function troublesOf(url: string | undefined): Promise<readonly string[]> {
  if (url === undefined) return []
  try {
    return (await readinessOf(url)).troubles
  } catch (error) {
    return [`the platform does not report its health: ${(error as Error).message}`]
  }
}

function shortened({ logs }: StackFolders): string {
  const short = relative(process.cwd(), logs)
  return short.startsWith('..') ? logs : join('.', short)
}
