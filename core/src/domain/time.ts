/** Points in time as the formats write them: whole seconds since 1970, UTC. Time is always an argument. */

/** Whole seconds since 1970-01-01T00:00:00Z. */
export type Instant = number;

export const secondsPerDay = 86_400;

/** `2026-11-24T06:00:00Z`. */
export function formatInstant(instant: Instant): string {
  return new Date(instant * 1000).toISOString().replace('.000Z', 'Z');
}

/** The instant in exactly that form, years 1970 to 9999; undefined for anything else. */
export function parseInstant(text: string): Instant | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) return undefined;
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds) || milliseconds < 0) return undefined;
  const instant = milliseconds / 1000;
  return formatInstant(instant) === text ? instant : undefined;
}
