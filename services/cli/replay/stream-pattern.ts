/**
 * A glob over whole stream ids: `*` stands for any characters, also none and dots, `?` for one; all others for themselves.
 * @returns whether a stream id fits.
 */
export function streamPattern(glob: string): (streamId: string) => boolean {
  const source = glob.replaceAll(/\*+|[\\^$.+()[\]{}|/?]/g, (found) => {
    if (found.startsWith('*')) return '.*'
    return found === '?' ? '.' : `\\${found}`
  })
  const expression = new RegExp(`^${source}$`, 'su')
  return (streamId) => expression.test(streamId)
}
