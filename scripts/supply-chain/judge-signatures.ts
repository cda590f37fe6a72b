export interface SignaturesVerdict {
  /** 0: all are valid. 1: at least one is not. 3: nothing was checked. */
  readonly exitCode: 0 | 1 | 3
  readonly lines: readonly string[]
}

interface Signed {
  readonly name: string
  readonly version: string
}

interface NpmReport {
  readonly invalid?: readonly Signed[]
  readonly missing?: readonly Signed[]
  readonly error?: { readonly summary?: string }
}

/** @param output what `npm audit signatures --json` printed */
export function judgeSignatures(output: string): SignaturesVerdict {
  const report = parsed(output)
  if (report?.invalid === undefined || report.missing === undefined) {
    const why = report?.error?.summary ?? (output.trim() === '' ? 'npm printed nothing' : output.trim())
    return {
      exitCode: 3,
      lines: [
        `No signature was checked: ${why.slice(0, 500)}`,
        'Signatures can be checked only where a registry with signing keys and sigstore.dev can be reached. package-lock.json holds checksums, which npm ci has checked.',
      ],
    }
  }
  const lines = [
    ...report.invalid.map(({ name, version }) => `${name}@${version} has an invalid signature`),
    ...report.missing.map(
      ({ name, version }) => `${name}@${version} has no signature, but its registry signs packages`,
    ),
  ]
  return lines.length === 0
    ? { exitCode: 0, lines: ['All packages have valid signatures.'] }
    : { exitCode: 1, lines: [...lines, 'Do not use these packages before you know why.'] }
}

function parsed(output: string): NpmReport | undefined {
  try {
    const report: unknown = JSON.parse(output)
    return typeof report === 'object' && report !== null ? report : undefined
  } catch {
    return undefined
  }
}
