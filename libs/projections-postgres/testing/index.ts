export { PlainSql } from './plain-sql.ts'
