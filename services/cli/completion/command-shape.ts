import type { Command, Option } from 'commander'

/** What a shell needs to complete one command. */
export interface CommandShape {
  /** The name of the command, from the program on: `annals topics list`. */
  readonly path: string
  readonly subcommands: readonly string[]
  /** The choices of its arguments. */
  readonly choices: readonly string[]
  readonly options: readonly OptionShape[]
}

export interface OptionShape {
  /** `--limit`, including short flags. */
  readonly flags: readonly string[]
  /** The kind of its value, or its choices; undefined for an option without a value. */
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
  // Commander adds `help`, which has no commands of its own.
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
