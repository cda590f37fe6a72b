import { SingleBar } from 'cli-progress'

import { doneOf, pace, progressText, type ShownProgress } from './progress-text.ts'

/** Shows the progress of work until it ends. */
export interface ProgressDisplay {
  show(progress: ShownProgress): void
  end(): void
}

export interface DisplayStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean
}

/** The time between two lines without a terminal. */
const lineIntervalMs = 5_000

/** Shows nothing; for programs, which read the document at the end. */
export const noDisplay: ProgressDisplay = { show: () => undefined, end: () => undefined }

/** A bar on a terminal; otherwise a line every few seconds. */
export const progressDisplay = (stream: DisplayStream): ProgressDisplay =>
  stream.isTTY === true ? bar(stream) : lines(stream)

function bar(stream: NodeJS.WritableStream): ProgressDisplay {
  const format = '{what}{bar} {percentage} %  {done}  {pace}'
  // The command itself handles Ctrl-C (gracefulExit: false).
  const drawn = new SingleBar({
    ...{ stream, format, barsize: 30, barCompleteChar: '█', barIncompleteChar: '░' },
    ...{ hideCursor: true, gracefulExit: false },
  })
  let isStarted = false
  return {
    show(progress) {
      const { done, total } = progress
      if (!isStarted) drawn.start(total, 0, payload({ ...progress, done: 0, rate: 0 }))
      isStarted = true
      drawn.setTotal(total)
      drawn.update(done, payload(progress))
    },
    end: () => drawn.stop(),
  }
}

const payload = (progress: ShownProgress) => ({
  what: progress.what === undefined ? '' : `${progress.what} `,
  done: doneOf(progress),
  pace: pace(progress).join('  '),
})

function lines(stream: NodeJS.WritableStream): ProgressDisplay {
  let nextMs = -Infinity
  return {
    show(progress) {
      if (performance.now() < nextMs) return
      nextMs = performance.now() + lineIntervalMs
      stream.write(`${progressText(progress)}\n`)
    },
    end: () => undefined,
  }
}
