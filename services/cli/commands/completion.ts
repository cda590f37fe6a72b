import { Argument, type Command } from 'commander'

import type { Cli } from '../cli.ts'
import { bashCompletion, zshCompletion } from '../completion/bash-completion.ts'
import { commandShapes } from '../completion/command-shape.ts'

const shells = { bash: bashCompletion, zsh: zshCompletion }

const help = `
Completes commands, options and the values of options, for \`annals\` and for \`./annals\`.

Examples:
  annals completion bash > ~/.local/share/bash-completion/completions/annals
  source <(annals completion bash)
  annals completion zsh > "\${fpath[1]}/_annals"`

export function addCompletion(program: Command, cli: Cli): void {
  program
    .command('completion')
    .description('Print a script that completes commands and options in a shell.')
    .addArgument(new Argument('<shell>', 'shell').choices(Object.keys(shells)))
    .addHelpText('after', help)
    .action((shell: keyof typeof shells) => {
      const script = shells[shell](commandShapes(program))
      cli.report({ document: { shell, script }, text: script.trimEnd() })
    })
}
