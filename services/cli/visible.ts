/** Text from data (a key, a name), made safe to print: control characters and those that change the writing direction are escaped. */
export const visible = (text: string): string => text.replace(/\p{Cc}|\p{Bidi_Control}/gu, numbered)

/** Text with line breaks, tabs and colours, made safe to print: all other control characters are escaped. */
export const printable = (text: string): string =>
  text.replace(/\p{Bidi_Control}|\p{Cc}(\[[\d;]*m)?/gu, (found: string, colour?: string) => {
    const character = found.charAt(0)
    const isOurs = character === '\n' || character === '\t' || (character === escape && colour !== undefined)
    return isOurs ? found : `${numbered(character)}${colour ?? ''}`
  })

const escape = String.fromCharCode(27)

const numbered = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
