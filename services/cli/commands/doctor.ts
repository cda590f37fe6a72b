import { styleText } from 'node:util'

import type { Command } from 'commander'

import { loadConfig } from '#config'
import type { DoctorFinding, Examination, JobControl } from '#operations'

import type { Cli, CommandReport } from '../cli.ts'
import { runJob } from '../run-job.ts'

const notes = `
Tests the fence on a temporary topic and changes nothing else. Warnings do not make it fail.
It finds Kafka, Redis, registry and domain through the same settings as the services (docs/configuration.md).

Example:
  ANNALS_KAFKA_BROKERS=kafka-1:9092 annals doctor`

export function addDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .description('Prove the promises on this cluster: fence, duplicates, settings, Redis, schemas, writers.')
    .addHelpText('after', notes)
    .action(async () => {
      // Loaded here only: the clients of Kafka and Redis would double the start time of every other command.
      const { examine } = await import('#operations')
      const config = loadConfig(cli.env)
      const job = (control: JobControl<'examining'>) => examine(config, control)
      cli.report(reportOf(await runJob(cli, job, { isQuiet: true })))
    })
}

function reportOf({ status, isHealthy, findings }: Examination): CommandReport {
  const isInterrupted = status === 'interrupted'
  const ending = isInterrupted ? ['Interrupted: the rest was not checked'] : []
  return {
    document: { healthy: isHealthy, findings, ...(isInterrupted && { interrupted: true }) },
    text: [...findings.map(findingText), ...ending, summary(findings)].join('\n'),
    exitCode: isInterrupted ? 130 : isHealthy ? 0 : 1,
  }
}

const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const

function findingText({ status, subject, message, remedy }: DoctorFinding): string {
  const line = `${styleText(colours[status], status.padEnd(4))}  ${subject}: ${message}`
  return remedy === undefined ? line : `${line}\n      ${remedy}`
}

function summary(findings: readonly DoctorFinding[]): string {
  const count = (wanted: DoctorFinding['status']) => findings.filter(({ status }) => status === wanted).length
  return `${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failed`
}
