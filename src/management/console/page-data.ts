/** The application's settings for the console. The page carries them as JSON in an attribute. */
export interface PageData {
  readonly branding: {
    readonly name?: string | undefined;
    readonly logo?: string | undefined;
    readonly color?: string | undefined;
    readonly home?: string | undefined;
  };
  readonly loginUrl: string | null;
  readonly signOut: string | null;
  /** `false`: there is no page at this address. */
  readonly found: boolean;
}
