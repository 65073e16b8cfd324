/** Reading documents and test files for the tests that compare the two: tables, and titles of tests. */
import { readFileSync } from 'node:fs';

/** The cells of a table's lines, without its head. */
export function cellsOf(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1')),
  );
}

/** Titles of `it` and `test` as they stand in a source; what `each` and `skipIf` are given may have calls within calls. */
export function titlesIn(path: string): readonly string[] {
  const call =
    /\b(?:it|test)(?:\.\w+(?:\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\))?)?\(\s*(['"])((?:(?!\1).)+)\1/g;
  return [...readFileSync(path, 'utf8').matchAll(call)].map(([, , title = '']) => title);
}
