export function nextVersion(current: string, wanted?: string): string;
export function released(changelog: string, version: string, day: Date): string;
