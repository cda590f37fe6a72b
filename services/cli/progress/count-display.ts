import { clearLine, cursorTo } from 'node:readline'

import type { DisplayStream } from './progress-display.ts'
import { grouped } from './progress-text.ts'

/** Shows how far something is whose end is not known. */
export interface CountDisplay {
  show(count: number): void
  end(): void
}

/** Between two lines, where there is no terminal. */
const lineIntervalMs = 5_000
const drawIntervalMs = 200
/** What takes no longer needs no line. */
const delayMs = 2_000

/** One line on a terminal; elsewhere a line now and then. */
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
      const told = `${grouped(count)} ${what}, ${grouped((1_000 * count) / (nowMs - startMs))}/s`
      isDrawn = isTerminal
      if (isTerminal) wipe()
      stream.write(isTerminal ? told : `${told}\n`)
    },
    end() {
      if (isDrawn) wipe()
    },
  }
}
