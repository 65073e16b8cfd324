/**
 * Stands in for the package y18n in the executable. The package looks for a translation file beside the executable, so
 * that whoever can write there could reword what yargs says; this one reads no file. The texts are yargs' own English
 * keys. Leaves out translations.
 */
import { format } from 'node:util';

/** The one key of yargs' English table that differs from its text. */
const REWORDED: ReadonlyMap<string, string> = new Map([
  ['Implications failed:', 'Missing dependent arguments:'],
]);

export default function y18n() {
  return {
    __: (text: string, ...values: unknown[]) => format(REWORDED.get(text) ?? text, ...values),
    __n: (singular: string, plural: string, count: number, ...values: unknown[]) => {
      const text = count === 1 ? singular : plural;
      return text.includes('%d') ? format(text, count, ...values) : format(text, ...values);
    },
    getLocale: () => 'en',
    setLocale: () => undefined,
    updateLocale: () => undefined,
  };
}
