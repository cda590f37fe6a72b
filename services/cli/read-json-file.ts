import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'

import { parseJson } from '#event-store'

import { UsageError } from './failure.ts'
import { decodeUtf8 } from './parse-json.ts'

/** The JSON of a file, or of standard input for `-`. @throws UsageError that names the file */
export async function readJsonFile(file: string): Promise<unknown> {
  const source = file === '-' ? 'standard input' : file
  const bytes = await contentOf(file)
  try {
    return parseJson(decodeUtf8(bytes))
  } catch (error) {
    throw new UsageError(`${source} ${(error as Error).message}`, { cause: error })
  }
}

async function contentOf(file: string): Promise<Uint8Array> {
  if (file === '-') return buffer(process.stdin)
  try {
    return await readFile(file)
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}
