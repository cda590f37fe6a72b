import { escapeLiteral } from 'pg'

import type { SqlNames } from './names.ts'

/**
 * Rows that are gone cannot be told from rows that never were: emptying a table leaves a note, in the same transaction. A partition that
 * stands still is no more than a note itself: without it, it meets the same event.
 * @param of projection and generation, of a table that is theirs alone.
 */
export const truncationTrigger = (names: SqlNames, table: string, of: readonly string[] = []): string => `
  DROP TRIGGER IF EXISTS _note_truncation ON ${table};
  CREATE TRIGGER _note_truncation AFTER TRUNCATE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION ${names.noteTruncation}(${of.map((each) => escapeLiteral(each)).join(', ')});`
