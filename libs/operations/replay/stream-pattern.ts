/**
 * A glob over whole stream ids: `*` matches any number of any characters, including dots, `?` matches one; other characters match
 * themselves. It takes at most as many steps as the product of both lengths. A regular expression with five stars took seconds for one id.
 * @returns a function that tests a stream id.
 */
export function streamPattern(glob: string): (streamId: string) => boolean {
  return (streamId) => fits(glob, streamId)
}

/** Whether the glob can match a text that begins with `beginning`. */
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

/** Backtracks only to the last star, which can match everything that an earlier star could. */
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

/** The number of code units of the character at a position: 2 for a surrogate pair. */
const widthAt = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1)
