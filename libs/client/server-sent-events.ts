/** One server-sent event. */
export interface ReceivedEvent {
  readonly id: string | undefined
  readonly event: string
  readonly data: string
}

/** Maximum length of one event: a record of the log, with an allowance for JSON. */
const frameCharactersMax = 32 * 1024 * 1024

/**
 * Reads a text/event-stream: https://html.spec.whatwg.org/multipage/server-sent-events.html. Comments and an incomplete event at
 * the end are ignored, as the standard requires.
 * @throws the errors of the source; Error for an event that is too long.
 */
export async function* readServerSentEvents(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<ReceivedEvent> {
  const decoder = new TextDecoder()
  let pending = ''
  for await (const chunk of source) {
    const blocks = (pending + decoder.decode(chunk, { stream: true })).split('\n\n')
    pending = blocks.pop() ?? ''
    if (pending.length > frameCharactersMax) throw new Error('an event of the stream is too long')
    for (const block of blocks) {
      const event = parseBlock(block)
      if (event !== undefined) yield event
    }
  }
}

function parseBlock(block: string): ReceivedEvent | undefined {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const value = line.slice(colon + 1).replace(/^ /, '')
    const name = line.slice(0, colon)
    const before = fields.get(name)
    fields.set(name, name === 'data' && before !== undefined ? `${before}\n${value}` : value)
  }
  const data = fields.get('data')
  return data === undefined
    ? undefined
    : { id: fields.get('id'), event: fields.get('event') ?? 'message', data }
}
