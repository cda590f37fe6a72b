import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { text } from 'node:stream/consumers'

import { blocksOf, type CodeBlock, placeOf } from './docs-blocks.ts'
import { matchesOutput } from './docs-output.ts'
import { codeOf, isPartOfProgram, printedByBlock } from './docs-programs.ts'
import type { DocsSandbox } from './docs-sandbox.ts'
import { type DocsFile, typeErrors } from './docs-types.ts'

/** The environment in which a page is followed step by step. */
export interface Ground {
  readonly sandbox: DocsSandbox
  /** Environment of the shell that runs the commands. */
  readonly env: Readonly<Record<string, string>>
  /** Environment of `./annals` alone, for servers on unusual ports. start.sh would treat servers in its environment as external. */
  readonly annalsEnv: Readonly<Record<string, string>>
  /** Ports in the pages, and the actual ports. */
  readonly ports: Readonly<Record<number, number>>
}

/** The actual behaviour differs from a page. */
class WrongPageError extends Error {
  override readonly name = 'WrongPageError'
}

/**
 * Follows a page from its first to its last block: writes its files, runs its commands and its program.
 * @throws WrongPageError naming the place where an exit code, output or type differs from the page
 */
export async function walk(page: string, ground: Ground): Promise<void> {
  const blocks = blocksOf(page)
  const written = new Map<string, DocsFile>()
  let isWhole = false
  for (const [index, block] of blocks.entries()) {
    if (block.file !== undefined) {
      // Check types before files are replaced. Files that are replaced together match each other only afterwards.
      if (isWhole && written.has(block.file)) checkTypes(written, ground)
      isWhole &&= !written.has(block.file)
      write(block, block.file, written, ground)
    } else if (block.language === 'sh' && block.notRun === undefined) {
      const { exitCode, printed } = await typeCommands(block, ground)
      if (exitCode !== block.exitCode)
        throw new WrongPageError(difference(block, `ended with ${exitCode}`, printed))
      checkShown(blocks[index + 1], printed)
      isWhole = true
    }
  }
  checkTypes(written, ground)
  await runProgram(page, ground)
}

/** Runs a page's TypeScript program, if it has one, and compares the output of its blocks. */
export async function runProgram(page: string, ground: Ground): Promise<void> {
  const blocks = blocksOf(page)
  const { program } = codeOf(page, blocks)
  if (program === undefined) return
  ground.sandbox.write(program.file, toGround(program.code, ground))
  const { exitCode, printed } = await run(ground, process.execPath, [program.file])
  if (exitCode !== 0) throw new WrongPageError(`${page}: its program ended with ${exitCode}\n${printed}`)
  const byBlock = printedByBlock(printed)
  for (const [index, block] of blocks.entries())
    if (isPartOfProgram(block)) checkShown(blocks[index + 1], byBlock.get(block.line) ?? '')
}

function write(block: CodeBlock, file: string, written: Map<string, DocsFile>, ground: Ground): void {
  ground.sandbox.write(file, `${toGround(block.code, ground)}\n`)
  if (file.endsWith('.ts')) written.set(file, { file, page: block.page, linesBefore: block.line })
}

function checkTypes(written: ReadonlyMap<string, DocsFile>, { sandbox }: Ground): void {
  const errors = typeErrors(sandbox.root, [...written.values()])
  if (errors.length > 0) throw new WrongPageError(errors.join('\n'))
}

function checkShown(shown: CodeBlock | undefined, printed: string): void {
  if (shown?.isOutput !== true || matchesOutput(shown.code, printed)) return
  throw new WrongPageError(difference(shown, 'the output differs', printed))
}

const difference = (block: CodeBlock, what: string, printed: string): string =>
  `${placeOf(block)}: ${what}\n--- in the page:\n${block.code}\n--- printed:\n${printed}`

/** Each block has its own shell, which inherits the umask and the variables exported by the one before. */
function typeCommands({ code }: CodeBlock, ground: Ground): ReturnType<typeof run> {
  const settings = Object.entries(ground.annalsEnv).map(([name, value]) => `${name}='${value}'`)
  const script = [
    'exec 2>&1',
    'if [ -e .shell ]; then source ./.shell; fi',
    `trap '{ export -p; umask -p; } >.shell' EXIT`,
    `function ./annals { ${settings.join(' ')} command ./annals "$@"; }`,
    toGround(code, ground),
  ]
  return run(ground, 'bash', ['-e', '-c', script.join('\n')])
}

async function run({ sandbox, env, ports }: Ground, command: string, args: readonly string[]) {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('ANNALS_'))
  const PATH = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
  const child = spawn(command, args, {
    cwd: sandbox.root,
    env: { ...Object.fromEntries(others), PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [exitCode] = (await ended) as [number | null]
  const back = Object.entries(ports).map(([usual, here]) => [String(here), usual] as const)
  return { exitCode, printed: replaced(stdout + stderr, back) }
}

const toGround = (written: string, { ports }: Ground): string =>
  replaced(
    written,
    Object.entries(ports).map(([usual, here]) => [usual, String(here)] as const),
  )

const replaced = (written: string, ports: readonly (readonly [string, string])[]): string =>
  ports.reduce((result, [from, to]) => result.replaceAll(`127.0.0.1:${from}`, `127.0.0.1:${to}`), written)
