import type { Command, Option } from 'commander'

/** What a shell has to know of one command. */
export interface CommandShape {
  /** Its names from the program's on: `annals topics list`. */
  readonly path: string
  readonly subcommands: readonly string[]
  /** What its arguments can be, where there are choices. */
  readonly choices: readonly string[]
  readonly options: readonly OptionShape[]
}

export interface OptionShape {
  /** `--limit`; short ones included. */
  readonly flags: readonly string[]
  /** What comes after it; undefined for one that stands alone. */
  readonly value?: 'file' | 'other' | readonly string[]
}

/** The program and all of its commands, outermost first. */
export function commandShapes(command: Command, path = command.name()): readonly CommandShape[] {
  const help = command.createHelp()
  const subcommands = help.visibleCommands(command)
  const options = [...help.visibleOptions(command), ...(command.parent ? globalOptions(command) : [])]
  const shape = {
    path,
    subcommands: subcommands.map((each) => each.name()),
    choices: command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
    options: options.map(optionShape),
  }
  // `help` is made by commander on the fly, and has no commands of its own.
  const real = subcommands.filter((each) => command.commands.includes(each))
  return [shape, ...real.flatMap((each) => commandShapes(each, `${path} ${each.name()}`))]
}

const globalOptions = (command: Command): Option[] => command.createHelp().visibleGlobalOptions(command)

function optionShape(option: Option): OptionShape {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined)
  if (!option.required && !option.optional) return { flags }
  if (option.argChoices !== undefined) return { flags, value: option.argChoices }
  return { flags, value: /<(file|folder|path)/.test(option.flags) ? 'file' : 'other' }
}
