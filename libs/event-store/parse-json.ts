import { jsonDepthMax, jsonExcess, jsonPartsMax } from './json-bounds.ts'

const excesses = {
  'too-deep': `is nested deeper than ${jsonDepthMax} levels`,
  'too-many-parts': `has more than ${jsonPartsMax} values and names`,
} as const

/** Parses JSON within the bounds of a request. @throws Error whose message follows the name of the text: `is not JSON: …` */
export function parseJson(text: string): unknown {
  const excess = jsonExcess(text)
  if (excess !== undefined) throw new Error(excesses[excess])
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`is not JSON: ${(error as Error).message}`, { cause: error })
  }
}
