import type { Command } from 'commander'

import { commandReach } from './command-reach.ts'
import { type CommandReach, isDirect } from './reach.ts'

/** Where the rights of commands are listed. */
export const rightsPage = 'docs/operations/rights.md'

/** Adds to the help of each command that reaches a server directly which ones it reaches, and where its rights are listed. */
export function addReachHelp(program: Command): void {
  for (const [path, reach] of Object.entries(commandReach)) {
    if (isDirect(reach)) commandAt(program, path)?.addHelpText('after', `\n${reachLine(reach)}`)
  }
}

/** `Reaches Kafka and Redis directly; …` */
export const reachLine = (reach: CommandReach): string =>
  `Reaches ${list(serversOf(reach))} directly; ${rightsPage} lists the rights it needs.`

/** The path of a command, without the name of the program: `topics list`. */
export function pathOf(command: Command): string {
  const { parent } = command
  return parent === null ? '' : `${pathOf(parent)} ${command.name()}`.trim()
}

const serversOf = ({ kafka, redis, registry }: CommandReach): readonly string[] => [
  ...(kafka === undefined ? [] : ['Kafka']),
  ...(redis === undefined ? [] : ['Redis']),
  ...(registry === undefined ? [] : ['the schema registry']),
]

const list = (names: readonly string[]): string => new Intl.ListFormat('en-GB').format(names)

const commandAt = (program: Command, path: string): Command | undefined =>
  path
    .split(' ')
    .reduce<Command | undefined>(
      (at, name) => at?.commands.find((command) => command.name() === name),
      program,
    )
