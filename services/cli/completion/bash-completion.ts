import type { CommandShape, OptionShape } from './command-shape.ts'

/**
 * A completion script for bash: subcommands, options, and the values of options that have choices or name files.
 * @param shapes the program and all its commands, outermost first.
 */
export function bashCompletion(shapes: readonly CommandShape[]): string {
  const [program] = shapes
  const name = program?.path ?? ''
  return `_${name}_completion() {
  local word path=${name} current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${indented(
  6,
  shapes.slice(1).map(({ path }) => `'${path}') path='${path}' ;;`),
)}
    esac
  done
  COMPREPLY=()
  case "$path $previous" in
${indented(4, shapes.flatMap(valueCases))}
  esac
  local words=
  case "$path" in
${indented(4, shapes.map(wordCase))}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${name}_completion ${name} ./${name}
`
}

/** The same script for zsh, which can run completions of bash. */
export const zshCompletion = (shapes: readonly CommandShape[]): string => `#compdef ${shapes[0]?.path ?? ''}
autoload -U +X compinit && compinit -u
autoload -U +X bashcompinit && bashcompinit
${bashCompletion(shapes)}`

const indented = (width: number, lines: readonly string[]): string =>
  lines.map((line) => `${' '.repeat(width)}${line}`).join('\n')

const wordCase = ({ path, subcommands, choices, options }: CommandShape): string =>
  `'${path}') words='${[...subcommands, ...choices, ...options.flatMap(({ flags }) => flags)].join(' ')}' ;;`

/** An option is followed by a value: a choice, a file, or free text. */
const valueCases = ({ path, options }: CommandShape): string[] =>
  options.flatMap(({ flags, value }) =>
    value === undefined ? [] : flags.map((flag) => `'${path} ${flag}') ${valueCommand(value)} return ;;`),
  )

function valueCommand(value: NonNullable<OptionShape['value']>): string {
  if (value === 'other') return ''
  if (value === 'file') return 'COMPREPLY=($(compgen -f -- "$current"));'
  return `COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$current"));`
}
