import { jsonDepthMax, jsonExcess, jsonPartsMax } from '#event-store'

const byteOrderMark = '\uFEFF'
const excesses = {
  'too-deep': `is nested deeper than ${jsonDepthMax} levels`,
  'too-many-parts': `has more than ${jsonPartsMax} values and names`,
} as const

/** Parses JSON that a server would take; a byte order mark before it, as editors on Windows write, is left out. @throws Error that goes on with the name of the text: `is not JSON: …` */
export function parseJson(given: string): unknown {
  const text = given.startsWith(byteOrderMark) ? given.slice(1) : given
  const excess = jsonExcess(text)
  if (excess !== undefined) throw new Error(excesses[excess])
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`is not JSON: ${(error as Error).message}`, { cause: error })
  }
}
