/** @throws SyntaxError that says where the text is not JSON, and quotes nothing of it, because it may hold hashes of secrets */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const [place] = /line \d+ column \d+/.exec(messageOf(error)) ?? []
    throw new SyntaxError(`it is not JSON${place === undefined ? '' : `: see ${place}`}`)
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
