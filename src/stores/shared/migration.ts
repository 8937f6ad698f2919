/** The result of a store's `migrate`: the work that it did, or with `dryRun` would do. */
export interface Migration {
  /** The version of the schema before. 0: there were no tables. */
  readonly from: number;
  readonly to: number;
  /** The SQL statements, in their order; empty if the schema is current. */
  readonly statements: readonly string[];
  /**
   * How the tables differ from those of `to`, in words. `migrate: 'verify'` refuses them. Only with `dryRun`, and if `from` is `to`.
   */
  readonly differences?: readonly string[];
}

/** Options of `store.migrate`. */
export interface MigrateOptions {
  /** `true`: changes nothing, and compares the tables, and returns the statements that would run. Default `false`. */
  readonly dryRun?: boolean | undefined;
}
