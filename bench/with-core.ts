import { startBenchStack } from './bench-stack.ts'
import { withClosing } from './closing.ts'
import { type CoreWriter, startCore } from './contenders/core.ts'

/** Runs something with its own stack and a writer in this process. */
export const withCore = <T>(say: (line: string) => void, run: (core: CoreWriter) => Promise<T>): Promise<T> =>
  withClosing(async (closing) => {
    const stack = await startBenchStack(say)
    closing(() => stack.close())
    const core = await startCore(stack.envOf('bench-core'))
    closing(() => core.close())
    return run(core)
  })
