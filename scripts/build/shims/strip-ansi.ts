/**
 * Stands in for the package strip-ansi in the executable (see string-width.ts): removes the colour sequences that
 * yargs and cliui may write. Leaves out every other terminal sequence, which they never write.
 */
const COLOUR = new RegExp(String.raw`\u001b\[[0-9;]*m`, 'g');

export default function stripAnsi(text: string): string {
  return text.replace(COLOUR, '');
}
