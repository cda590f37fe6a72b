/**
 * A text from data (a key, a name) as it may be printed: characters that steer a terminal, or turn the direction of writing, are
 * shown by their number.
 */
export const visible = (text: string): string => text.replace(/\p{Cc}|\p{Bidi_Control}/gu, numbered)

/** Text of several lines that may have colours of its own: all other characters that steer a terminal are shown by their number. */
export const printable = (text: string): string =>
  text.replace(/\p{Bidi_Control}|\p{Cc}(\[[\d;]*m)?/gu, (found: string, colour?: string) => {
    const character = found.charAt(0)
    const isOurs = character === '\n' || character === '\t' || (character === escape && colour !== undefined)
    return isOurs ? found : `${numbered(character)}${colour ?? ''}`
  })

const escape = String.fromCharCode(27)

const numbered = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
