import { StackError } from '../stack/index.ts'

/** Runs a command to its end: a mistake of the person is told in words, one of ours with its stack trace. */
export async function runMain(main: () => Promise<void>): Promise<never> {
  try {
    await main()
    process.exit()
  } catch (error) {
    console.error(error instanceof StackError ? error.message : error)
    process.exit(error instanceof StackError ? error.exitCode : 1)
  }
}
