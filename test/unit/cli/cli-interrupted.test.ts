import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'

import { freePorts } from '../../../scripts/stack/index.ts'
import { cliHere } from '../../support/cli/cli-here.ts'

/** A command that is not interrupted waits for Kafka twice as long. */
const promptMs = 5_000
const before = 'the events of an earlier run\n'
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'annals-interrupted-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

/** The address of a server that accepts connections and never answers. */
async function silentServer(): Promise<string> {
  const sockets = new Set<{ destroy: () => unknown }>()
  const [port = 0] = await freePorts(1)
  const server = createServer((socket) => sockets.add(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => {
    sockets.forEach((socket) => socket.destroy())
    server.close()
  })
  return `127.0.0.1:${port}`
}

/** The address of no server: connections are refused. */
const noServer = async (): Promise<string> => `127.0.0.1:${(await freePorts(1))[0] ?? 0}`

/** Runs a command, and interrupts it while it connects. */
async function interrupted(args: readonly string[], env: Readonly<Record<string, string>>) {
  const listeners = process.listenerCount('SIGINT')
  const running = cliHere({ ANNALS_DOMAIN: 'examples/customers/domain.ts', ...env })(args)
  const isRunning = () => expect(process.listenerCount('SIGINT')).toBeGreaterThan(listeners)
  await vi.waitFor(isRunning, { timeout: 20_000 })
  await new Promise((resolve) => setTimeout(resolve, 100))
  const sinceMs = performance.now()
  process.emit('SIGINT')
  return { ...(await running), tookMs: performance.now() - sinceMs }
}

type Case = readonly [name: string, command: (path: string) => readonly string[]]
const onKafka: readonly Case[] = [
  ['replay to a file', (path) => ['replay', 'customer', '--to-file', path, '--overwrite']],
  ['replay to standard output', () => ['replay', 'customer']],
  ['backup', (path) => ['backup', `${path}.backups`]],
  ['verify', () => ['verify']],
  ['topics repartition', () => ['topics', 'repartition', 'customer', '--partitions', '3', '--yes']],
  [
    'topics repartition --dry-run',
    () => ['topics', 'repartition', 'customer', '--partitions', '3', '--dry-run'],
  ],
  ['index rebuild', () => ['index', 'rebuild', '--yes']],
  ['doctor', () => ['doctor']],
]

test.each(
  onKafka.flatMap(([name, command]) => [
    [name, 'refuses', noServer, command] as const,
    [name, 'does not answer', silentServer, command] as const,
  ]),
)('Ctrl-C ends %s while Kafka %s, and nothing is written', async (_name, _how, kafka, command) => {
  const path = join(folder, 'events.ndjson')
  writeFileSync(path, before)
  const end = await interrupted(command(path), { ANNALS_KAFKA_BROKERS: await kafka() })
  expect(end).toMatchObject({ exitCode: 130 })
  expect(`${end.stdout}${end.stderr}`).toMatch(/interrupted/i)
  expect(end.tookMs).toBeLessThan(promptMs)
  expect(readFileSync(path, 'utf8')).toBe(before)
  expect(existsSync(`${path}.checkpoint`)).toBe(false)
})

const onWriter: readonly Case[] = [
  ['export of a type', (path) => ['export', 'customer', '--output', path]],
  ['export of a stream', (path) => ['export', '--stream', 'customer.c-1', '--output', path]],
  ['import-rollback', () => ['import-rollback', 'trial', 'customer', '--event', 'Voided', '--yes']],
]

test.each(onWriter)('Ctrl-C ends %s while the writer does not answer', async (_name, command) => {
  const path = join(folder, 'events.ndjson')
  const end = await interrupted(command(path), { ANNALS_URL: `http://${await silentServer()}` })
  expect(end).toMatchObject({ exitCode: 130 })
  expect(end.stdout).toMatch(/^interrupted/i)
  expect(end.tookMs).toBeLessThan(promptMs)
  expect(existsSync(path)).toBe(false)
})
