import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, onTestFinished, test, vi } from 'vitest'

import { eventTopic } from '#domain'

import { backupsIn, filesIn, heavyInstallation, testFolder } from '../../support/operations/backup-source.ts'
import { annalsOf } from '../../support/cli/cli-here.ts'
import { startCli } from '../../support/cli/cli-process.ts'
import { startGuardedKafka } from '../../support/kafka/guarded-kafka.ts'
import { KafkaProxy } from '../../support/kafka/kafka-proxy.ts'
import { appendPast, openDirectBackends } from '../../support/append/past-the-writer.ts'
import type { Installation } from '../../support/services/real-writer.ts'
import { waitFor } from '../../support/stack/stack.ts'
import { testInstallation } from '../../support/services/writer-fixture.ts'

/** Settings by which all of Kafka's answers come through this process: a command gets no further while the test stands still. */
async function throughHere({ env }: Installation): Promise<Installation['env']> {
  const proxy = await KafkaProxy.start(env['ANNALS_KAFKA_BROKERS'] ?? '')
  onTestFinished(() => proxy.close())
  return { ...env, ANNALS_KAFKA_BROKERS: proxy.address }
}

test(
  'a killed backup leaves earlier ones unchanged, and the next one cleans up',
  { timeout: 180_000 },
  async () => {
    const where = await heavyInstallation()
    const folder = testFolder()
    const partial = () => Promise.resolve(readdirSync(folder).find((name) => name.endsWith('.partial')))
    const env = await throughHere(where)
    const killed = startCli(env, ['backup', folder])
    await waitFor('a backup to begin', async () => {
      const name = await partial()
      return name !== undefined && filesIn(folder, name).length > 0
    })
    killed.process.kill('SIGKILL')
    expect((await killed.ended).exitCode).toBe(null)
    expect(await partial()).toBeDefined()
    expect(backupsIn(folder)).toEqual([])
    const annals = annalsOf(where)
    expect((await annals(['backup', folder, '--json'])).json()).toMatchObject({
      kind: 'full',
      events: 15_000,
    })
    expect(await partial()).toBeUndefined()
    expect(readdirSync(folder)).toEqual(backupsIn(folder))

    const interrupted = startCli(env, ['backup', folder, '--full'])
    await waitFor('a backup to begin', async () => {
      const name = await partial()
      return name !== undefined && filesIn(folder, name).length > 0
    })
    // Frozen, so that it is not done before the other one has looked.
    interrupted.process.kill('SIGSTOP')
    expect((await annals(['backup', folder])).stderr).toMatch(/process \d+ on \S+ is writing to /)
    interrupted.process.kill('SIGINT')
    interrupted.process.kill('SIGCONT')
    const end = await interrupted.ended
    expect(end).toMatchObject({ exitCode: 130 })
    expect(end.stdout).toContain('Interrupted: nothing was added')
    expect(readdirSync(folder)).toEqual(backupsIn(folder))
    expect(backupsIn(folder)).toHaveLength(1)
  },
)

test('a full disk costs nothing but the backup', async (context) => {
  const where = await heavyInstallation(2_000)
  const disk = testFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    context.skip('a small disk cannot be mounted here')
  }
  onTestFinished(() => void execFileSync('umount', [disk]))
  const end = await annalsOf(where)(['backup', disk, '--json'])
  expect(end).toMatchObject({ exitCode: 1 })
  expect(end.stderr).toMatch(/cannot be written: the disk is full\. Free some space/)
  expect(end.json()).toMatchObject({ error: { code: 'disk-full' } })
  expect(readdirSync(disk)).toEqual([])
})

test('a folder that is none, options that do not go together, and a domain without topics are refused', async () => {
  const where = testInstallation()
  const folder = testFolder()
  const annals = annalsOf(where)
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const refused = async (exitCode: number, ...args: string[]) => {
    const end = await annals(args)
    expect(end).toMatchObject({ exitCode, stdout: '' })
    expect(end.stderr).not.toContain('    at ')
    return end.stderr
  }
  expect(await refused(1, 'backup', file)).toContain(`${file} cannot be written`)
  expect(await refused(1, 'backup', 'list', join(folder, 'no-such'))).toMatch(/folder \S+ does not exist/)
  expect(await refused(1, 'backup', 'check', file)).toContain('is not a folder')
  expect(await refused(2, 'backup', folder, '--every', '5m')).toContain('need --watch')
  expect(await refused(2, 'backup', folder, '--watch', '--every', '5')).toContain('it has no unit')
  expect(await refused(2, 'backup', folder, '--type', 'no-such')).toContain('has no aggregate type no-such')
  expect(await refused(2, 'backup', folder)).toContain('nothing to back up')
  expect(await refused(1, 'restore', folder)).toContain('there is no backup in')
  expect(await annals(['backup', 'list', folder])).toMatchObject({
    stdout: `No backups in ${folder}\n`,
  })
  expect(existsSync(join(folder, '.lock'))).toBe(false)
})

test('without the right to read, the error names the missing right', { timeout: 180_000 }, async () => {
  const kafka = await startGuardedKafka()
  onTestFinished(() => kafka.stop())
  const where = testInstallation({ ANNALS_KAFKA_BROKERS: kafka.address })
  const hands = await openDirectBackends(where)
  const topic = eventTopic(where.type)
  const record = { key: Buffer.from('k'), value: Buffer.from('v'), headers: [], timestampMs: Date.now() }
  await appendPast(hands, topic, 0, [record])
  await kafka.allow(topic, ['DESCRIBE', 'DESCRIBE_CONFIGS'])
  // A broker hears of rights a moment after they are set: what it still gives before that is in another folder.
  const folder = await vi.waitFor(async () => {
    const fresh = testFolder()
    const end = await annalsOf(where)(['backup', fresh, '--json'])
    expect(end).toMatchObject({ exitCode: 1 })
    expect(end.stderr).toContain('docs/operations/rights.md lists the required rights')
    expect(end.json()).toMatchObject({ error: { kafkaCode: 'TOPIC_AUTHORIZATION_FAILED' } })
    return fresh
  }, 60_000)
  expect(backupsIn(folder)).toEqual([])
  await kafka.allow(topic, ['READ'])
  await vi.waitFor(async () => {
    expect(await annalsOf(where)(['backup', folder])).toMatchObject({ exitCode: 0 })
  }, 20_000)
})
