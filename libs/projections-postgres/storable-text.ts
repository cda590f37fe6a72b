/** Text that PostgreSQL can store: U+FFFD replaces U+0000, which error messages may quote. */
export const withoutNul = (text: string): string => text.replaceAll('\0', '\ufffd')
