const perhaps = /\\u(?:0000|d[89a-f])/i
const unstorable = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi

/**
 * JSON that jsonb accepts: U+FFFD replaces U+0000 and halves of surrogate pairs, which PostgreSQL cannot store. JSON.stringify
 * writes exactly these as escapes. An escaped backslash does not start an escape.
 */
export const storableJson = (json: string): string =>
  perhaps.test(json) ? json.replace(unstorable, '$1\ufffd') : json
