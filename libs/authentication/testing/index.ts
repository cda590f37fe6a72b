export { type IssuerMood, TokenIssuer } from './token-issuer.ts'
