import { DEMAND, type Part, type Shape } from '../shape.js';

/** What a database has. A key has no name of its own, so its columns name it. */
export const SQLITE_CATALOG = `SELECT m.name AS "of", 'column ' || c.name AS part,
    c.type || CASE WHEN c."notnull" OR c.pk THEN ' NOT NULL' ELSE '' END AS form
  FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'
  UNION ALL SELECT m.name, '${DEMAND}' || c.name, ''
  FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c."notnull" AND c.pk = 0
    AND coalesce(upper(c.dflt_value), 'NULL') = 'NULL'
  UNION ALL SELECT m.name, 'key (' || c.name || ')', 'UNIQUE'
  FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.pk = 1
    AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) WHERE origin = 'pk')
  UNION ALL SELECT m.name, CASE WHEN i.origin = 'c' THEN 'index ' || i.name ELSE 'key' END
      || CASE WHEN i.origin = 'c' THEN '' ELSE ' (' || (SELECT group_concat(name, ', ') FROM
        (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) || ')' END,
    CASE WHEN i."unique" THEN 'UNIQUE' ELSE '' END || CASE WHEN i.origin <> 'c' THEN '' ELSE ' (' || (SELECT group_concat(part, ', ') FROM
      (SELECT name || CASE WHEN "desc" THEN ' DESC' ELSE '' END AS part FROM pragma_index_xinfo(i.name) WHERE key ORDER BY seqno)) || ')' END
      || CASE WHEN i.partial THEN ' of some' ELSE '' END
  FROM sqlite_master m JOIN pragma_index_list(m.name) i WHERE m.type = 'table'
  UNION ALL SELECT m.name, 'reference ' || f."from", f."table" || CASE WHEN f.on_delete = 'CASCADE' THEN ' ON DELETE CASCADE' ELSE '' END
  FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
  UNION ALL SELECT tbl_name, 'trigger ' || name, 'enabled' FROM sqlite_master WHERE type = 'trigger'`;

/** @param parent the table of tokens */
export function sqliteParts({ name: of, columns, keys, indexes }: Shape, parent: string): readonly Part[] {
  return [
    ...columns.flatMap(({ name, kind, type, isOptional }): Part[] => {
      const column = { of, part: `column ${name}`, form: `${type}${isOptional ? '' : ' NOT NULL'}` };
      if (kind !== 'token') return [column];
      return [column, { of, part: `reference ${name}`, form: `${parent} ON DELETE CASCADE` }];
    }),
    ...keys.map(({ columns: list }) => ({ of, part: `key (${list.join(', ')})`, form: 'UNIQUE' })),
    ...indexes.map(({ name, isUnique, columns: list, where }) => {
      const only = where === undefined ? '' : ' of some';
      return { of, part: `index ${name}`, form: `${isUnique ? 'UNIQUE' : ''} (${list.join(', ')})${only}` };
    }),
  ];
}
