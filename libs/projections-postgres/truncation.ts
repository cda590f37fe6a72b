import { escapeLiteral } from 'pg'

import type { SqlNames } from './names.ts'

/**
 * Missing rows look like rows that never existed, so a trigger records the truncation of a table in the same transaction. The table of
 * stops needs none: without its stop, a partition fails at the same event again.
 * @param of projection and generation, for a table that belongs to one generation.
 */
export const truncationTrigger = (names: SqlNames, table: string, of: readonly string[] = []): string => `
  DROP TRIGGER IF EXISTS _note_truncation ON ${table};
  CREATE TRIGGER _note_truncation AFTER TRUNCATE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION ${names.noteTruncation}(${of.map((each) => escapeLiteral(each)).join(', ')});`
