import { InvalidInputError, quote } from '#domain'

const lengthMax = 200
const printable = /^[^\s\p{Cc}\p{Cs}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]+$/u

/**
 * Checks the name of a principal and returns it: 1 to 200 printable characters without white space.
 * @param path path of the name, for errors
 * @throws InvalidInputError for anything else.
 */
export function parsePrincipalName(value: unknown, path: string): string {
  if (typeof value === 'string' && value.length <= lengthMax && printable.test(value)) return value
  throw new InvalidInputError(
    path,
    `${path} is ${quote(value)}: expected the name of a principal, 1 to ${lengthMax} printable characters without white space`,
  )
}
