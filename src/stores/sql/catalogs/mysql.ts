import { DEMAND, type Part, type Shape } from '../shape.js';

/** The two databases have two names for the same order of texts. */
const EXACT = `CASE WHEN collation_name IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin') THEN ' in exact order'
  WHEN collation_name IS NULL THEN '' ELSE CONCAT(' in ', collation_name) END`;

/**
 * What a database has, as far as the role may see it. The names are asked for, or MariaDB opens every table of the database. An
 * underscore in `:like` stands for any character; more tables than ours do no harm. An ENUM has a default always: its first value.
 */
export const MYSQL_CATALOG = `SELECT table_name AS "of", CONCAT('column ', column_name) AS part,
    CONCAT(CASE WHEN data_type IN ('varchar', 'binary') THEN column_type ELSE data_type END, ${EXACT},
      CASE WHEN extra LIKE '%auto_increment%' THEN ' AUTO_INCREMENT' ELSE '' END,
      CASE WHEN generation_expression LIKE '%sha2(%256)%' THEN ' of the SHA-256' ELSE '' END,
      CASE WHEN is_nullable = 'NO' THEN ' NOT NULL' ELSE '' END) AS form
  FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name LIKE :like
  UNION ALL SELECT table_name, CONCAT('${DEMAND}', column_name), ''
  FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name LIKE :like
    AND is_nullable = 'NO' AND column_default IS NULL AND data_type <> 'enum'
    AND extra NOT LIKE '%auto_increment%' AND extra NOT LIKE '%GENERATED%'
  UNION ALL SELECT table_name, CONCAT('index ', index_name),
    CONCAT(CASE WHEN MAX(non_unique) = 0 THEN 'UNIQUE ' ELSE '' END,
      '(', GROUP_CONCAT(column_name ORDER BY seq_in_index SEPARATOR ', '), ')')
  FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name LIKE :like GROUP BY table_name, index_name
  UNION ALL SELECT k.table_name, CONCAT('reference ', k.column_name),
    CONCAT(k.referenced_table_name, CASE WHEN r.delete_rule = 'CASCADE' THEN ' ON DELETE CASCADE' ELSE '' END)
  FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
    ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name
  WHERE k.table_schema = DATABASE() AND k.table_name LIKE :like
    AND r.constraint_schema = DATABASE() AND r.table_name LIKE :like
  UNION ALL SELECT event_object_table, CONCAT('trigger ', trigger_name), 'enabled'
  FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND event_object_table LIKE :like`;

/** @param parent the table of tokens */
export function mysqlParts({ name: of, columns, keys, indexes }: Shape, parent: string): readonly Part[] {
  return [
    ...columns.flatMap(({ name, kind, type, isOptional }): Part[] => {
      const told = type.toLowerCase().replace(/ character set .*/, ' in exact order');
      const made = kind === 'serial' ? ' AUTO_INCREMENT' : kind === 'hash' ? ' of the SHA-256' : '';
      const column = { of, part: `column ${name}`, form: `${told}${made}${isOptional ? '' : ' NOT NULL'}` };
      if (kind !== 'token') return [column];
      return [column, { of, part: `reference ${name}`, form: `${parent} ON DELETE CASCADE` }];
    }),
    ...[...keys, ...indexes].map(({ name, isUnique, columns: list }) => {
      return { of, part: `index ${name}`, form: `${isUnique ? 'UNIQUE ' : ''}(${list.join(', ')})` };
    }),
  ];
}
