/** Text as PostgreSQL can store it: with U+FFFD in place of U+0000, which error messages may quote. */
export const withoutNul = (text: string): string => text.replaceAll('\0', '\ufffd')
