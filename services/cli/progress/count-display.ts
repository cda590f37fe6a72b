import { clearLine, cursorTo } from 'node:readline'

import type { DisplayStream } from './progress-display.ts'
import { grouped } from './progress-text.ts'

/** Shows the progress of work whose total is not known. */
export interface CountDisplay {
  show(count: number): void
  end(): void
}

/** The time between two lines without a terminal. */
const lineIntervalMs = 5_000
const drawIntervalMs = 200
/** Shorter work prints no line. */
const delayMs = 2_000

/** One line that is redrawn on a terminal; otherwise a line every few seconds. */
export function countDisplay(stream: DisplayStream, what: string): CountDisplay {
  const startMs = performance.now()
  const isTerminal = stream.isTTY === true
  let nextMs = startMs + delayMs
  let isDrawn = false
  const wipe = () => {
    cursorTo(stream, 0)
    clearLine(stream, 0)
  }
  return {
    show(count) {
      const nowMs = performance.now()
      if (nowMs < nextMs) return
      nextMs = nowMs + (isTerminal ? drawIntervalMs : lineIntervalMs)
      const line = `${grouped(count)} ${what}, ${grouped((1_000 * count) / (nowMs - startMs))}/s`
      isDrawn = isTerminal
      if (isTerminal) wipe()
      stream.write(isTerminal ? line : `${line}\n`)
    },
    end() {
      if (isDrawn) wipe()
    },
  }
}
