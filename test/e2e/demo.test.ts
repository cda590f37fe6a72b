import { afterEach, beforeEach, expect, test } from 'vitest'

import { localStack, type LocalStack } from './local-stack.ts'

let stack: LocalStack

beforeEach(async () => {
  stack = await localStack()
})
afterEach(() => stack.remove())

const rows = (output: string): string[] => output.split('\n').filter((line) => /equal|differs/.test(line))

test('the demo imports real purchases once and serves the figures of the file', async () => {
  const first = await stack.run('start.sh', ['--detach'])
  expect(first.output).toContain('Importing 69659 real purchases')
  expect(rows(first.output)).toHaveLength(9)
  expect(first.output).not.toContain('differs')
  expect(first.output).toMatch(/events +│ 69659 +│ 69659 +│ equal/)
  expect(first.output).toMatch(/top customer 1, dollars +│ 07592: 13990.93/)
  expect(first.output).toMatch(/busiest month, dollars +│ 1997-03: 393155.27/)
  expect(first.exitCode).toBe(0)

  const second = await stack.run('start.sh', ['--detach'])
  expect(second).toMatchObject({ exitCode: 0 })
  expect(second.output).toContain('The 69659 purchases are imported already.')
  expect(rows(second.output)).toHaveLength(9)
  expect(second.output).not.toContain('differs')
})
