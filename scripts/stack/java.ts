import { spawnSync } from 'node:child_process'

/** Answers by PATH, because it decides which Java runs. */
const known = new Map<string, string>()

/**
 * What `java -version` prints, without the lines about options from the environment; empty when there is no Java. It is
 * asked once in the life of this process.
 */
export function javaVersionText(): string {
  const path = process.env['PATH'] ?? ''
  const text = known.get(path) ?? askJava()
  known.set(path, text)
  return text
}

function askJava(): string {
  const { stdout, stderr } = spawnSync('java', ['-version'], { encoding: 'utf8', timeout: 20_000 })
  const lines = `${stdout}${stderr}`.split('\n')
  return lines.filter((line) => !/^(NOTE: )?Picked up /.test(line)).join('\n')
}
