export { type Action, actions } from './action.ts'
export {
  type AccessDocument,
  type CertificateEntry,
  type KeyEntry,
  type LimitsOfRole,
  type Role,
  type Rule,
} from './access-document.ts'
export { type CredentialKind, type Principal } from './principal.ts'
export { type Resource, resourceText, streamResource } from './resource.ts'
export { type Caller, type ClientCertificate, type Credentials } from './caller.ts'
export { type Decision, type Rights } from './rights.ts'
export { builtInRoles } from './built-in-roles.ts'
export { allRights } from './granted-rights.ts'
export { RightsTable } from './rights-table.ts'
export { limitsOfRoles } from './limits-of-roles.ts'
export {
  emptyAccess,
  parseAccessDocument,
  parseCertificateEntry,
  parseKeyEntry,
} from './parse-access-document.ts'
export { parseRole, parseRoleName } from './parse-role.ts'
export { parsePrincipalName } from './principal-name.ts'
