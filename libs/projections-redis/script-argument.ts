import type { ViewChange } from '#projections'
import { MessagePackWriter } from '#redis-index'

import { encodeBody, encodeRevisions } from './stored-view.ts'

/** A value for a script: text, a number below 2^32, or decimal text for larger or fractional numbers. */
export type ScriptItem = string | number | Buffer | readonly ScriptItem[]

/** The one argument of a script: an array of items. */
export function packArgument(items: readonly ScriptItem[]): Buffer {
  const writer = new MessagePackWriter()
  write(writer, items)
  return writer.finish()
}

function write(writer: MessagePackWriter, item: ScriptItem): void {
  if (typeof item === 'string') writer.text(item)
  else if (typeof item === 'number') writer.uint32(item)
  else if (Buffer.isBuffer(item)) writer.bytes(item)
  else {
    writer.array(item.length)
    for (const each of item) write(writer, each)
  }
}

/**
 * The changes as scripts read them: keys, expected revisions, bodies, then times alternating with keys for views that expire, and
 * for each index figures alternating with keys. Sorted sets keep doubles, and the text of a number preserves a double exactly.
 */
export function changeItems(
  changes: readonly ViewChange[],
  indexNames: readonly string[],
): readonly ScriptItem[] {
  const stored = changes.filter(({ json }) => json !== null)
  return [
    changes.map(({ key }) => key),
    encodeRevisions(changes.map(({ expected }) => expected)),
    changes.map(encodeBody),
    stored.flatMap(({ key, expiresAtMs }) => (expiresAtMs === undefined ? [] : [String(expiresAtMs), key])),
    indexNames.map((name) =>
      stored.flatMap(({ key, indexes: { [name]: figure } }) =>
        figure === undefined ? [] : [String(figure), key],
      ),
    ),
  ]
}
