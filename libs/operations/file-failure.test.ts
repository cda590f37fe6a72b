import { expect, test } from 'vitest'

import { fileError, writeFailure } from './file-failure.ts'
import { OperationError } from './operation-error.ts'

const failure = (code: string) => Object.assign(new Error('write failed'), { code })

test.each(['ENOSPC', 'EDQUOT'])('%s says to free space; a job that can be resumed adds how', (code) => {
  expect(writeFailure('a.bin', failure(code))).toMatchObject({
    code: 'disk-full',
    message: 'a.bin cannot be written: the disk is full. Free some space and run the command again',
  })
  expect(fileError('opening', 'a.bin', failure(code))).toMatchObject({
    code: 'disk-full',
    message: 'opening a.bin: the disk is full. Free some space',
  })
})

test('another error of the file system keeps its reason', () => {
  expect(fileError('opening', 'a.bin', failure('EACCES'))).toMatchObject({
    ...{ code: 'file-failed', message: 'opening a.bin: write failed' },
  })
})

test('other errors are returned unchanged', () => {
  const bug = new Error('a bug')
  const refused = new OperationError('checkpoint-refused', 'no')
  expect(fileError('opening', 'a.bin', bug)).toBe(bug)
  expect(fileError('opening', 'a.bin', refused)).toBe(refused)
})
