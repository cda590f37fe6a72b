import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { makePrivateFolder } from './private-files.ts'

const tailBytes = 8192

/** Prepares a new log: the previous one is kept next to it as `<name>.previous`. */
export function rotateLog(path: string): void {
  makePrivateFolder(dirname(path))
  if (existsSync(path)) renameSync(path, `${path}.previous`)
}

/** The last `count` lines of a file, or fewer; empty when there is no file. */
export function lastLines(path: string, count: number): string[] {
  if (!existsSync(path)) return []
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(size, tailBytes))
    readSync(file, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8').trimEnd().split('\n').slice(-count)
  } finally {
    closeSync(file)
  }
}
