/** Plausible values of every result type of the process protocol, made from the module's own table of them. */
import { resultTypes, type FieldKind, type ResultTypeName } from '../../psmodule/schema/results.ts';

/** A value with every field of the type; `texts` says what single text fields hold, `x` otherwise. */
export function sampleOf(
  type: ResultTypeName,
  texts: Readonly<Record<string, string>> = {},
): Readonly<Record<string, unknown>> {
  const value = (field: string, kind: FieldKind): unknown => {
    switch (kind) {
      case 'text':
        return texts[field] ?? 'x';
      case 'number':
        return 1;
      case 'boolean':
        return true;
      case 'date':
        return '2026-11-24T06:00:00Z';
      case 'texts':
      case 'numbers':
        return [];
      default:
        return [sampleOf(kind.of, texts)];
    }
  };
  const fields = Object.entries(resultTypes[type].fields);
  return Object.fromEntries(fields.map(([field, kind]) => [field, value(field, kind)]));
}
