/**
 * A glob over whole stream ids: `*` stands for any characters, also none and dots, `?` for one; all others for themselves.
 * Takes no more steps than the lengths of glob and id multiplied, whatever both are: a regular expression with five stars took
 * seconds for one id.
 * @returns whether a stream id fits.
 */
export function streamPattern(glob: string): (streamId: string) => boolean {
  return (streamId) => fits(glob, streamId)
}

/** Whether any text that begins so can fit. */
export function canBeginWith(glob: string, beginning: string): boolean {
  let inGlob = 0
  for (let inText = 0; inText < beginning.length; inGlob++) {
    const wanted = glob[inGlob]
    if (wanted === '*') return true
    if (wanted === '?') inText += widthAt(beginning, inText)
    else if (wanted === beginning[inText]) inText++
    else return false
  }
  return inGlob < glob.length
}

/** Only the last star that was met is ever tried again: what an earlier one could give, it can give too. */
function fits(glob: string, text: string): boolean {
  let inGlob = 0
  let inText = 0
  let afterStar = -1
  let starEnd = 0
  while (inText < text.length) {
    const wanted = glob[inGlob]
    if (wanted === '*') {
      afterStar = ++inGlob
      starEnd = inText
    } else if (wanted === '?') {
      inGlob++
      inText += widthAt(text, inText)
    } else if (wanted === text[inText]) {
      inGlob++
      inText++
    } else if (afterStar >= 0) {
      starEnd += widthAt(text, starEnd)
      inGlob = afterStar
      inText = starEnd
    } else {
      return false
    }
  }
  while (glob[inGlob] === '*') inGlob++
  return inGlob === glob.length
}

/** Of the character at a place: two where it takes a pair of surrogates. */
const widthAt = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
