/**
 * Stands in for the package string-width in the executable: yargs asks it for the width of help texts, and the package
 * spends 40 ms of every start on Unicode tables (docs/decisions/0002-executable.md). Counts code points, so wide
 * characters count as one column; help texts are English.
 */
import stripAnsi from './strip-ansi.ts';

export default function stringWidth(text: string): number {
  return Array.from(stripAnsi(text)).length;
}
