const perhaps = /\\u(?:0000|d[89a-f])/i
const unstorable = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi

/**
 * JSON as jsonb takes it: with U+FFFD in place of U+0000 and of halves of surrogate pairs, which PostgreSQL has no room for. JSON.stringify
 * writes just those as escapes; behind a backslash that is itself escaped there is no escape.
 */
export const storableJson = (json: string): string =>
  perhaps.test(json) ? json.replace(unstorable, '$1\ufffd') : json
