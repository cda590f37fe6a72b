import { statSync } from 'node:fs'

import type { Config } from '#config'

import { type DoctorFinding, fail, ok, warn } from '../finding.ts'

/** Whether other users can read the files that hold keys and principals. */
export function checkSecretFiles({ access, tls, kafka, redis }: Config): DoctorFinding[] {
  const files = {
    ANNALS_ACCESS_FILE: access.file,
    ANNALS_TLS_KEY_FILE: tls.keyFile,
    ANNALS_KAFKA_SSL_KEY_FILE: kafka.ssl.keyFile,
    ANNALS_REDIS_KEY_FILE: redis.tls.keyFile,
  }
  return Object.entries(files).flatMap(([setting, path]) =>
    path === undefined ? [] : [judgeFile(setting, path)],
  )
}

const modeOf = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.mode

/** @param mode the permissions of the file; undefined if there is none. */
export function judgeFile(setting: string, path: string, mode = modeOf(path)): DoctorFinding {
  const subject = `${setting} ${path}`
  if (mode === undefined) return fail(subject, 'there is no such file', `Correct ${setting}`)
  const octal = (mode & 0o777).toString(8).padStart(4, '0')
  const remedy = `chmod 600 ${path}`
  if ((mode & 0o007) !== 0) return fail(subject, `its mode is ${octal}: every user can use it`, remedy)
  if ((mode & 0o070) !== 0) return warn(subject, `its mode is ${octal}: its group can use it`, remedy)
  return ok(subject, `its mode is ${octal}`)
}
