import { createPublicKey } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { SignJWT } from 'jose'
import type { Agent } from 'undici'

import type { Action, Role } from '#access'
import { PeerTokens } from '#authentication'
import { TokenIssuer } from '#authentication/testing'

import { cliHere } from '../cli/cli-here.ts'
import type { RunCli } from '../cli/cli.ts'
import type { Kind } from './access-rows.ts'
import { agentFor, type ProtectedInstallation } from './split-installation.ts'

/** What a request aims at. */
export interface Target {
  readonly kind: Kind
  readonly type: string
  readonly id: string
  /** Of a projection. */
  readonly name: string
}

export interface Who {
  readonly headers: Readonly<Record<string, string | string[]>>
  /** With a client certificate. */
  readonly agent?: Agent
  /** What it may do: by hand, from the roles that it is given below. Undefined: its credential is not valid. */
  readonly may?: (action: Action, target: Target) => boolean
}

const ofStreams: readonly Kind[] = ['stream', 'category', 'type']
const asReader = (action: Action, { kind }: Target): boolean =>
  (['read', 'subscribe', 'state'].includes(action) && ofStreams.includes(kind)) ||
  (action === 'view' && kind === 'projection')
const asService = (action: Action, target: Target): boolean =>
  asReader(action, target) || (action === 'append' && target.kind === 'stream')
const nothing = (): boolean => false

const ownRoles = ({ type, domain }: ProtectedInstallation): Readonly<Record<string, Role>> => {
  const role = (actions: readonly Action[], on: string): Role => ({ rules: [{ actions, on: [on] }] })
  return {
    appender: role(['append'], `${type}.*`),
    eu: role(['append', 'read', 'subscribe', 'operate'], `${type}.eu-*`),
    viewer: role(['view'], `projection:${domain.projections.lifetime}`),
    stater: role(['state'], '*.*'),
    empty: { rules: [] },
  }
}

const asAppender = ({ type }: ProtectedInstallation) =>
  ((action, target) =>
    action === 'append' && target.kind === 'stream' && target.type === type) satisfies Who['may']
/** Of a category it gets its own streams. All streams of the type, as rebuilding needs them, are more than it may use. */
const asEu = ({ type }: ProtectedInstallation) =>
  ((action, target) =>
    target.type === type &&
    ((target.kind === 'category' && ['read', 'subscribe'].includes(action)) ||
      (target.kind === 'stream' &&
        ['append', 'read', 'operate'].includes(action) &&
        target.id.startsWith('eu-')))) satisfies Who['may']
const asViewer = ({ domain }: ProtectedInstallation) =>
  ((action, { kind, name }) =>
    action === 'view' && kind === 'projection' && name === domain.projections.lifetime) satisfies Who['may']

/** A key, and what the roles that it is given allow. */
type Keys = Readonly<Record<string, readonly [role: string, may: NonNullable<Who['may']>]>>

const keysOf = (where: ProtectedInstallation) =>
  ({
    admin: ['admin', () => true],
    operator: ['operator', (action) => action === 'operate'],
    service: ['service', asService],
    reader: ['reader', asReader],
    appender: ['appender', asAppender(where)],
    eu: ['eu', asEu(where)],
    viewer: ['viewer', asViewer(where)],
    stater: ['stater', (action, { kind }) => action === 'state' && ofStreams.includes(kind)],
    nobody: ['empty', nothing],
  }) satisfies Keys

type KeyName = keyof ReturnType<typeof keysOf>

export type TablePrincipals = Readonly<Record<KeyName | 'token' | 'revoked' | 'expired', Who>> &
  Readonly<Record<string, Who>>

/**
 * Creates roles, keys and a certificate with `annals access`, in this process, and everybody else who comes to a service.
 * The revoked key is the last change.
 */
export async function createPrincipals(
  where: ProtectedInstallation,
  issuer: TokenIssuer,
): Promise<TablePrincipals> {
  const run = running(cliHere(where.env))
  for (const [name, role] of Object.entries(ownRoles(where))) {
    const file = join(where.folder, `${name}.json`)
    await writeFile(file, JSON.stringify(role))
    await run('role', 'put', name, file)
  }
  await run('certificate', 'put', 'gateway', '--name', 'gateway', '--role', 'service')
  const created: Record<string, Who> = {}
  for (const [name, [role, may]] of Object.entries(keysOf(where))) {
    created[name] = { ...(await keyFor(run, name, role)), may }
  }
  const expired = await keyFor(run, 'expired', 'admin', '--expires', '1s')
  const { id, headers } = await keyFor(run, 'revoked', 'admin')
  await run('key', 'revoke', id, '--yes')
  return {
    ...(created as Record<KeyName, Who>),
    ...(await withTokens(issuer)),
    ...(await withCertificates(where)),
    ...(await withForgeries(issuer, created['admin']?.headers ?? {})),
    stranger: { headers: {} },
    expired,
    revoked: { headers },
  }
}

type Run = (...args: readonly string[]) => Promise<Readonly<Record<string, unknown>>>

const running =
  (cli: RunCli): Run =>
  async (...args) => {
    const { exitCode, stderr, json } = await cli(['access', ...args, '--json'])
    if (exitCode !== 0) throw new Error(`annals access ${args.join(' ')} failed: ${stderr}`)
    return json()
  }

async function keyFor(run: Run, name: string, role: string, ...more: readonly string[]) {
  const { id, key } = await run('key', 'create', name, '--role', role, ...more)
  return { id: String(id), headers: bearer(String(key)) }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** As long as the test may take. */
const validFor = () => Math.floor(Date.now() / 1_000) + 3_600

async function withTokens(issuer: TokenIssuer): Promise<Record<'token' | 'token without roles', Who>> {
  const token = (claims: object) => issuer.token({ sub: 'ada', exp: validFor(), ...claims }, Date.now())
  return {
    token: { headers: bearer(await token({ roles: ['reader'] })), may: asReader },
    'token without roles': { headers: bearer(await token({})), may: nothing },
  }
}

const withCertificates = async ({ authority }: ProtectedInstallation): Promise<Record<string, Who>> => ({
  certificate: { headers: {}, agent: agentFor(authority, await authority.client('gateway')), may: asService },
  'unknown certificate': { headers: {}, agent: agentFor(authority, await authority.client('stranger')) },
})

/** Credentials of those who would like to be an administrator. */
async function withForgeries(issuer: TokenIssuer, admin: Who['headers']): Promise<Record<string, Who>> {
  const claims = { sub: 'eve', roles: ['admin'], exp: validFor() }
  const unsigned = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url')
  const genuine = await issuer.token(claims, Date.now())
  const none = `${unsigned}.${genuine.split('.')[1] ?? ''}.`
  const foreign = await TokenIssuer.start()
  await foreign.stop()
  const peers = new PeerTokens({ secret: 'x'.repeat(64), ownUrl: 'https://127.0.0.1' })
  const peer = await peers.sign({ name: 'eve', kind: 'key', roles: ['admin'] }, 'https://127.0.0.1')
  return {
    'unsigned token': { headers: bearer(none) },
    'token signed with the public key': { headers: bearer(await confused(issuer, claims)) },
    'foreign token': { headers: bearer(await foreign.token(claims, Date.now())) },
    'expired token': { headers: bearer(await issuer.token({ ...claims, exp: 1_600_000_000 }, Date.now())) },
    'forged peer': { headers: { 'annals-peer': peer, 'annals-forwarded': '1' } },
    'doubled key': {
      headers: { authorization: [admin['authorization'], admin['authorization']].flat().map(String) },
    },
  }
}

/** HS256, with the text of the public key as the secret. */
async function confused(issuer: TokenIssuer, claims: object): Promise<string> {
  const [key = {}] = (await issuer.publicKeys()).keys
  const publicKey = createPublicKey({ key: { ...key }, format: 'jwk' })
  return new SignJWT({ iss: issuer.issuer, aud: issuer.audience, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: 'key-1' })
    .sign(Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })))
}
