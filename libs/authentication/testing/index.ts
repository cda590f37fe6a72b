export { Installation } from './installation.ts'
export { type IssuerMood, TokenIssuer } from './token-issuer.ts'
