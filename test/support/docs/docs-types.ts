import { join } from 'node:path'
import ts from 'typescript'

import { repository } from '../../../scripts/stack/index.ts'

/** A file with a page's code, and where its first line is in the page. */
export interface DocsFile {
  /** Path in the checked folder. */
  readonly file: string
  readonly page: string
  /** Lines of the page before the file's first one. */
  readonly linesBefore: number
}

/** The compiler's errors for files, with the settings of the sources and by place in the pages: `docs/guide/domain.md:12: …`. */
export function typeErrors(root: string, files: readonly DocsFile[]): readonly string[] {
  const program = ts.createProgram(
    files.map(({ file }) => join(root, file)),
    compilerOptions(root),
  )
  return files.flatMap((file) => {
    const source = program.getSourceFile(join(root, file.file))
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    return found.map((diagnostic) => formatted(file, diagnostic))
  })
}

function compilerOptions(root: string): ts.CompilerOptions {
  const path = join(repository, 'tsconfig.json')
  const { config } = ts.readConfigFile(path, (file) => ts.sys.readFile(file)) as { config: { include: [] } }
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root)
  return { ...options, typeRoots: [join(repository, 'node_modules', '@types')] }
}

function formatted({ page, linesBefore }: DocsFile, { file, start = 0, messageText }: ts.Diagnostic): string {
  const line = (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1
  return `${page}:${linesBefore + line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
}
