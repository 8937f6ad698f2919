import { DEMAND, type Part, type Shape } from '../shape.js';

/** What a schema has, from the lists that every role may read. */
export const POSTGRES_CATALOG = `WITH ours AS (SELECT c.oid, c.relname FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND c.relkind IN ('r', 'p'))
  SELECT t.relname AS "of", 'column ' || a.attname AS part, pg_catalog.format_type(a.atttypid, a.atttypmod)
      || CASE WHEN a.attidentity <> '' THEN ' GENERATED'
        WHEN position('nextval' IN pg_catalog.pg_get_expr(d.adbin, d.adrelid)) > 0 THEN ' GENERATED' ELSE '' END
      || coalesce(' COLLATE "' || nullif(l.collname, 'default') || '"', '')
      || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END AS form
    FROM ours t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
    LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
    WHERE a.attnum > 0 AND NOT a.attisdropped
  UNION ALL SELECT t.relname, '${DEMAND}' || a.attname, ''
    FROM ours t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND (a.attnotnull OR y.typnotnull)
      AND NOT a.atthasdef AND a.attidentity = '' AND y.typdefault IS NULL
  UNION ALL SELECT t.relname, 'index ' || c.relname, CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END
      || substring(pg_catalog.pg_get_indexdef(c.oid) FROM ' USING (.*)$')
      || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
    FROM ours t JOIN pg_catalog.pg_index i ON i.indrelid = t.oid JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  UNION ALL SELECT t.relname, 'reference ' || a.attname, p.relname
      || CASE WHEN k.confdeltype = 'c' THEN ' ON DELETE CASCADE' ELSE '' END
    FROM ours t JOIN pg_catalog.pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f' AND cardinality(k.conkey) = 1
    JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1]
    JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
  UNION ALL SELECT t.relname, 'trigger ' || g.tgname,
      CASE WHEN g.tgtype = 58 AND g.tgenabled IN ('O', 'A') THEN 'enabled' ELSE 'not for every change' END
    FROM ours t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
  UNION ALL SELECT '', 'function ' || f.proname, ''
    FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_namespace n ON n.oid = f.pronamespace WHERE n.nspname = :schema`;

/** @param parent the table of tokens */
export function postgresParts({ name: of, columns, keys, indexes }: Shape, parent: string): readonly Part[] {
  return [
    ...columns.flatMap(({ name, kind, type, isOptional }): Part[] => {
      const told = type.replace('GENERATED ALWAYS AS IDENTITY', 'GENERATED').replace(' DEFAULT now()', '');
      const column = { of, part: `column ${name}`, form: `${told}${isOptional ? '' : ' NOT NULL'}` };
      if (kind !== 'token') return [column];
      return [column, { of, part: `reference ${name}`, form: `${parent} ON DELETE CASCADE` }];
    }),
    ...[...keys, ...indexes].map(({ name, isUnique, columns: list, where }) => {
      const only = where === undefined ? '' : ` WHERE (${where})`;
      return { of, part: `index ${name}`, form: `${isUnique ? 'UNIQUE ' : ''}btree (${list.join(', ')})${only}` };
    }),
  ];
}
