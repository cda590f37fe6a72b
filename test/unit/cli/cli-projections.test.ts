import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'

import { describe, expect, onTestFinished, test } from 'vitest'

import { formatPosition } from '#domain'
import type { ProjectionInfo } from '#projections'

import { repository } from '../../../scripts/stack/index.ts'
import { noDisplay, progressDisplay } from '../../../services/cli/progress/progress-display.ts'
import { durationText } from '../../../services/cli/progress/progress-text.ts'
import { watchRebuild } from '../../../services/cli/watch-rebuild.ts'
import { cliHere } from '../../support/cli/cli-here.ts'
import { servedProjections } from '../../support/projections/projections-fixture.ts'

const lifetime = 'customer-lifetime'

async function commandLine() {
  const served = await servedProjections()
  return { ...served, annals: cliHere({ ANNALS_URL: served.url }) }
}

describe('projection', () => {
  test('list shows views, lag, stopped partitions, dead letters and rebuilds', async () => {
    const { api, annals, buy } = await commandLine()
    buy('c-1', '5.00')
    buy('c-2', '-5.00')
    api.held = true
    await api.rebuild(lifetime)
    const listed = await annals(['projection', 'list'])
    expect(listed).toMatchObject({ exitCode: 0, stderr: '' })
    expect(listed.stdout.split('\n')).toEqual([
      expect.stringMatching(/^projection +views +lag +stopped +dead letters +rebuild$/),
      expect.stringMatching(/^customer-lifetime +2 +0 +0 +0 +0 % \(0 of 2\)$/),
      expect.stringMatching(/^forgiving +1 +0 +0 +1$/),
      expect.stringMatching(/^strict +1 +1 +1 +0$/),
      '',
    ])
    expect((await annals(['projection', 'list', '--json'])).json()).toEqual({ projections: await api.list() })
  })

  test('show prints generations, partitions and why one has stopped', async () => {
    const { api, annals, buy } = await commandLine()
    const position = formatPosition(buy('c-1', '-5.00'))
    const { stdout } = await annals(['projection', 'show', 'strict'])
    const { serving } = await api.describe('strict')
    expect(stdout).toMatch(/^projection +strict\nsources +customer\nkeyed by +stream\n/)
    expect(stdout).toMatch(new RegExp(`\n${serving} +serving +1 +\\S+ +0 +0 +0 % \\(0 of 1\\)\n`))
    expect(stdout).toMatch(new RegExp(`\n${serving} +eventstore.customer +0 +0 +1 +stopped\n`))
    expect(stdout).toMatch(
      new RegExp(`\nstopped at +${position}\nsince .*\nbecause +amount -5.00 is below zero\n$`),
    )
    expect((await annals(['projection', 'show', 'strict', '--json'])).json()).toEqual(
      await api.describe('strict'),
    )
  })

  test('views lists views by an index, up to the limit', async () => {
    const { annals, buy } = await commandLine()
    buy('c-1', '5.00')
    buy('c-2', '30.00')
    buy('c-3', '7.00')
    const args = ['projection', 'views', lifetime, '--order-by', 'spend', '--desc', '--limit']
    const { stdout } = await annals([...args, '2'])
    expect(stdout).toMatch(/^key +changed +view\nc-2 .*"spend":"30.00".*\nc-3 .*\nThere are more.*\n$/)
    const all = (await annals([...args, '3', '--json'])).json()
    expect(all).toMatchObject({ more: false, views: [{ key: 'c-2' }, { key: 'c-3' }, { key: 'c-1' }] })
    expect(await annals([...args, '0'])).toMatchObject({ exitCode: 2 })
    expect(await annals(['projection', 'views', lifetime, '--order-by', 'age'])).toMatchObject({
      exitCode: 2,
    })
  })

  test('view shows one view, also of the past', async () => {
    const { api, annals, buy } = await commandLine()
    const untilPosition = buy('c-1', '5.00')
    buy('c-1', '6.00')
    const { generation } = await api.rebuild(lifetime, { untilPosition })
    const now = await annals(['projection', 'view', lifetime, 'c-1'])
    expect(now.stdout).toMatch(/^c-1, changed at .*\n\{\n[^]*"spend": "11.00"/)
    const past = await annals(['projection', 'view', lifetime, 'c-1', '--generation', generation, '--json'])
    expect(past.json()).toMatchObject({ key: 'c-1', view: { spend: '5.00' } })
    const missing = await annals(['projection', 'view', lifetime, 'missing', '--json'])
    expect(missing).toMatchObject({
      exitCode: 1,
      stderr: `error: projection ${lifetime} has no view missing\n`,
    })
    expect(missing.json()).toMatchObject({ error: { code: 'view-not-found' } })
  })

  test('resume resumes stopped partitions', async () => {
    const { annals, buy, repairs } = await commandLine()
    buy('c-1', '-5.00')
    repairs.mended = true
    const first = await annals(['projection', 'resume', 'strict'])
    expect(first).toMatchObject({ exitCode: 0, stdout: '1 stopped partition of strict resumed\n' })
    expect((await annals(['projection', 'resume', 'strict', '--json'])).json()).toMatchObject({ resumed: 0 })
  })

  test('discard removes a generation, but not without --yes', async () => {
    const { api, annals } = await commandLine()
    const { generation } = await api.rebuild(lifetime, { untilTime: '2026-01-01' })
    const kept = async () => (await api.describe(lifetime)).generations.length
    const refused = await annals(['projection', 'discard', lifetime, generation])
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
    expect(refused.stderr).toContain(`remove generation ${generation} of ${lifetime}`)
    expect(await kept()).toBe(2)
    expect(await annals(['projection', 'discard', lifetime, generation, '--yes'])).toMatchObject({
      exitCode: 0,
    })
    expect(await kept()).toBe(1)
    expect(await annals(['projection', 'discard', lifetime, generation, '--yes'])).toMatchObject({
      exitCode: 1,
    })
  })

  test.each([
    [['show', 'nothing'], 1, 'there is no projection nothing'],
    [['show'], 2, "missing required argument 'name'"],
    [['rebuild', lifetime, '--until-position', 'x'], 2, 'position "x" is malformed'],
    [['rebuild', lifetime, '--until-time', 'yesterday'], 2, '--until-time "yesterday" is not a time'],
    [
      ['rebuild', lifetime, '--until-time', '2026-01-01', '--until-position', 'a:0:0'],
      2,
      'cannot be used with',
    ],
    [['list', '--url', 'http://127.0.0.1:1'], 3, './scripts/start.sh starts a local stack'],
  ])('%j fails with a message', async (args, exitCode, message) => {
    const { annals } = await commandLine()
    const failed = await annals(['projection', ...args])
    expect(failed).toMatchObject({ exitCode, stdout: '' })
    expect(failed.stderr).toContain(message)
  })
})

describe('projection rebuild', () => {
  test('waits until readers get the new generation', async () => {
    const { api, annals, buy } = await commandLine()
    buy('c-1', '5.00')
    api.held = true
    const rebuilding = annals(['projection', 'rebuild', lifetime])
    const generations = async () => (await api.describe(lifetime)).generations.length
    await expect.poll(generations).toBe(2)
    const [, building] = (await api.describe(lifetime)).generations
    api.advance()
    expect(await rebuilding).toMatchObject({
      exitCode: 0,
      stdout: `${lifetime} is rebuilt: readers get generation ${building?.id}\n`,
    })
    expect((await rebuilding).stderr).toMatch(/^\d+ % \(\d of 1\)/)
  })

  test('prints only one document with --json', async () => {
    const { api, annals } = await commandLine()
    const rebuilt = await annals(['projection', 'rebuild', lifetime, '--json'])
    const { serving: generation } = await api.describe(lifetime)
    expect(rebuilt).toMatchObject({ exitCode: 0, stderr: '' })
    expect(rebuilt.json()).toMatchObject({ projection: lifetime, generation, end: 'done', status: 'serving' })
  })

  test('starts and does not wait with --no-wait', async () => {
    const { api, annals } = await commandLine()
    api.held = true
    api.append('customer.c-1', 'PurchaseMade', { date: '1997-01-12', cds: 1, amount: '5.00' })
    const started = await annals(['projection', 'rebuild', lifetime, '--no-wait', '--json'])
    expect(started).toMatchObject({ exitCode: 0, stderr: '' })
    const [, building] = (await api.describe(lifetime)).generations
    expect(started.json()).toEqual({ projection: lifetime, generation: building?.id })
    expect(building?.status).toBe('building')
  })

  test('until a position or a time is kept, and the output says how to read it', async () => {
    const { annals, buy } = await commandLine()
    const position = formatPosition(buy('c-1', '5.00', '2026-01-01T00:00:00.000Z'))
    buy('c-1', '6.00')
    for (const until of [
      ['--until-position', position],
      ['--until-time', '2026-01-02'],
    ]) {
      const { stdout } = await annals(['projection', 'rebuild', lifetime, ...until])
      const generation = /is generation (\S+): read it with --generation/.exec(stdout)?.[1] ?? ''
      const past = await annals(['projection', 'view', lifetime, 'c-1', '--generation', generation, '--json'])
      expect(past.json()).toMatchObject({ view: { spend: '5.00' } })
    }
  })

  test('that stops at an event fails, and says what to do', async () => {
    const { annals, buy } = await commandLine()
    buy('c-1', '-5.00')
    const { exitCode, stdout } = await annals(['projection', 'rebuild', 'strict'])
    expect(exitCode).toBe(1)
    expect(stdout).toContain('then run `annals projection resume strict`')
  })

  test('continues when Ctrl-C ends the command', async () => {
    const { api, buy, url } = await servedProjections()
    buy('c-1', '5.00')
    api.held = true
    const child = spawn(process.execPath, ['services/cli/main.ts', 'projection', 'rebuild', lifetime], {
      cwd: repository,
      env: { ...process.env, ANNALS_URL: url },
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const [stdout, ended] = [text(child.stdout), once(child, 'close')]
    await once(child.stderr, 'data')
    child.kill('SIGINT')
    expect(await ended).toEqual([130, null])
    const [, building] = (await api.describe(lifetime)).generations
    expect(await stdout).toBe(
      `The rebuild of ${lifetime} continues as generation ${building?.id}. \`annals projection show ${lifetime}\` shows its progress\n`,
    )
    expect(building?.status).toBe('building')
  }, 30_000)

  test('that another one replaces ends as given up', async () => {
    const { api } = await servedProjections()
    api.held = true
    api.append('customer.c-1', 'PurchaseMade', { date: '1997-01-12', cds: 1, amount: '5.00' })
    const { generation } = await api.rebuild(lifetime)
    const describe = (): Promise<ProjectionInfo> => api.describe(lifetime)
    const signal = new AbortController().signal
    const watching = watchRebuild({ describe, generation, display: noDisplay, signal, intervalMs: 5 })
    await api.rebuild(lifetime)
    expect(await watching).toEqual({ end: 'given-up', last: undefined })
  })
})

describe('progress', () => {
  const progress = { done: 23_000, total: 69_659, rate: 21_000, etaSeconds: 2.2 }
  const shown = (isTTY: boolean): string => {
    const stream = Object.assign(new PassThrough(), { isTTY })
    const display = progressDisplay(stream)
    display.show(progress)
    display.show(progress)
    display.end()
    return String(stream.read())
  }

  test('is a line now and then without a terminal', () => {
    expect(shown(false)).toBe('33 % (23,000 of 69,659), 21,000/s, 3 s left\n')
  })

  test('is a bar with rate and time left on a terminal', () => {
    expect(shown(true)).toMatch(/█░+ 33 % {2}23,000 of 69,659 {2}21,000\/s {2}3 s left/)
  })

  test.each([
    [0.2, '1 s'],
    [59.4, '1 min 0 s'],
    [200, '3 min 20 s'],
    [7_500, '2 h 5 min'],
  ])('shows %d seconds as %s', (seconds, text) => expect(durationText(seconds)).toBe(text))
})

describe('deadletters', () => {
  test('are listed, retried and dropped', async () => {
    const { annals, buy, repairs } = await commandLine()
    const tokens = ['-1.00', '-2.00', '-3.00'].map((amount) => formatPosition(buy('c-1', amount)))
    const [first = '', second = '', third = ''] = tokens
    const listed = await annals(['deadletters', 'list', 'forgiving'])
    expect(listed.stdout).toMatch(
      new RegExp(`^position +set aside +error\n${first} +\\S+ +amount -1.00 is below zero\n`),
    )
    const page = (
      await annals(['deadletters', 'list', 'forgiving', '--offset', '1', '--limit', '1', '--json'])
    ).json()
    expect(page).toMatchObject({ deadLetters: [{ position: second }] })

    const again = await annals(['deadletters', 'retry', 'forgiving', first])
    expect(again.exitCode).toBe(1)
    expect(again.stdout).toMatch(
      new RegExp(`^0 dead letters of forgiving applied\n1 dead letter failed again:\nposition .*\n${first} `),
    )

    const unsure = await annals(['deadletters', 'drop', 'forgiving', first, second])
    expect(unsure).toMatchObject({ exitCode: 2, stdout: '' })
    expect(unsure.stderr).toContain('permanently remove 2 dead letters of forgiving: add --yes')
    const dropped = await annals(['deadletters', 'drop', 'forgiving', first, second, '--yes', '--json'])
    expect(dropped.json()).toEqual({ projection: 'forgiving', dropped: 2 })

    repairs.mended = true
    const retried = await annals(['deadletters', 'retry', 'forgiving', '--json'])
    expect(retried).toMatchObject({ exitCode: 0 })
    expect(retried.json()).toEqual({ projection: 'forgiving', applied: 1, failed: [] })
    expect(third).not.toBe('')
    expect((await annals(['deadletters', 'list', 'forgiving'])).stdout).toBe('No dead letters of forgiving\n')
  })

  test.each([
    [['drop', 'forgiving'], "missing required argument 'position'"],
    [['drop', 'forgiving', 'x', '--yes'], 'position "x" is malformed'],
    [['list', 'forgiving', '--limit', '5000'], '--limit 5000: expected a whole number from 1 to 1000'],
  ])('%j is invalid usage: exit code 2', async (args, message) => {
    const { annals } = await commandLine()
    const failed = await annals(['deadletters', ...args])
    expect(failed).toMatchObject({ exitCode: 2, stdout: '' })
    expect(failed.stderr).toContain(message)
  })
})
