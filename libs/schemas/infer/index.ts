export { Observed } from './observed.ts'
export { type Proposal, type ProposedField, proposeSchema } from './propose-schema.ts'
