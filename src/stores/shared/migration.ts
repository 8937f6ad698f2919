/** What a store's `migrate` did, or (`dryRun`) would do. */
export interface Migration {
  /** The version of the schema before; 0: there were no tables. */
  readonly from: number;
  readonly to: number;
  /** The SQL statements, in their order; none where the schema is current. */
  readonly statements: readonly string[];
}

/** Options of `store.migrate`. */
export interface MigrateOptions {
  /** Changes nothing: only says what would run. Default `false`. */
  readonly dryRun?: boolean | undefined;
}
