// Writes the software bill of materials (CycloneDX, JSON): npm run sbom
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { homeFrom, repository } from '../stack/index.ts'
import { runProgram } from '../test/run-program.ts'

const help = `Usage: npm run sbom -- [--output <file>] [--tools]

Lists the packages that Annals runs with, in CycloneDX (JSON). The same packages give the same file.

  --output <file>  default: .annals/sbom.json
  --tools          also packages that only build, check or test Annals`

const { values } = parseArgs({
  options: {
    output: { type: 'string', default: join(homeFrom(process.env), 'sbom.json') },
    tools: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

async function writeSbom(file: string): Promise<number> {
  mkdirSync(dirname(file), { recursive: true })
  const main = import.meta.resolve('@cyclonedx/cyclonedx-npm')
  const tool = fileURLToPath(new URL('bin/cyclonedx-npm-cli.js', main))
  const kept = values.tools ? [] : ['--omit', 'dev']
  const form = ['--output-format', 'JSON', '--output-reproducible', '--validate', '--mc-type', 'application']
  const { exitCode, output } = await runProgram(
    process.execPath,
    [tool, ...kept, ...form, '--output-file', file],
    { cwd: repository, timeoutMs: 300_000, output: 'keep' },
  )
  if (exitCode !== 0) {
    console.error(`The SBOM could not be made:\n${output.trimEnd()}`)
    return 1
  }
  const { components } = JSON.parse(readFileSync(file, 'utf8')) as { readonly components: readonly unknown[] }
  console.log(`${components.length} packages: ${file}`)
  return 0
}

if (values.help) console.log(help)
else process.exitCode = await writeSbom(resolve(values.output))
