import { get } from 'node:http'

import { onTestFinished } from 'vitest'

export interface Frame {
  readonly id: string
  readonly event: string
  readonly data: string
}

/** A subscription over plain HTTP that passes on each frame. It ends with the test. */
export class SseReader {
  status = 0
  /** How it ended; undefined while it is open. */
  end: string | undefined
  readonly #onFrame: (frame: Frame) => void
  #text = ''

  constructor(url: string, onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame
    const request = get(url, { agent: false }, (response) => {
      this.status = response.statusCode ?? 0
      response.setEncoding('utf8').on('data', (chunk: string) => this.#take(chunk))
      response.on('close', () => (this.end ??= 'closed'))
    })
    request.on('error', (error) => (this.end ??= error.message))
    onTestFinished(() => void request.destroy())
  }

  #take(chunk: string): void {
    const blocks = (this.#text + chunk).split('\n\n')
    this.#text = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, id, event, data] = /^(?:id: (.*)\n)?event: (.*)\ndata: (.*)$/.exec(block) ?? []
      if (event !== undefined) this.#onFrame({ id: id ?? '', event, data: data ?? '' })
    }
  }
}
