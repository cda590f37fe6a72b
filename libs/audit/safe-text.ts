/** Control characters, halves of surrogate pairs and noncharacters, which CloudEvents forbids; and those that reverse the text around them. */
const forbidden = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}\p{Bidi_Control}\u2028\u2029]/gu

const secret = '[secret]'

/** What looks like a credential: an API key, a JSON Web Token, an authorization header, the user and password of a URL. */
const credentials: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/(annals_[a-z2-7]{4,32}_)[\w-]+/gi, `$1${secret}`],
  [/\beyJ[\w-]{8,}(\.[\w-]*)*/g, secret],
  [/\b(bearer|basic)(\s|%20|\+)+[\w.~/=-]{16,}/gi, `$1 ${secret}`],
  [/(:\/\/)[^/\s"\\@]*@/g, `$1${secret}@`],
]

/**
 * Text from outside, safe to store and to print: at most `lengthMax` characters, without control characters and credentials. The cost
 * does not grow with the size of the text.
 */
export function safeText(text: string, lengthMax: number): string {
  const cleaned = cut(text, lengthMax).replace(forbidden, '\ufffd')
  return cut(
    credentials.reduce((given, [pattern, instead]) => given.replace(pattern, instead), cleaned),
    lengthMax,
  ).replace(forbidden, '\ufffd')
}

const cut = (text: string, lengthMax: number): string =>
  text.length > lengthMax ? `${text.slice(0, lengthMax - 1)}…` : text
