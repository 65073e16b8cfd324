/**
 * Stands in for the package wrap-ansi in the executable (see string-width.ts): breaks lines at spaces, keeps words that
 * are longer than a line whole. Leaves out the repetition of colours after a break; our help texts have none.
 */
import stringWidth from './string-width.ts';

export default function wrapAnsi(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, columns))
    .join('\n');
}

function wrapLine(line: string, columns: number): string {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (current !== '' && stringWidth(longer) > columns) {
      lines.push(current);
      current = word;
    } else {
      current = longer;
    }
  }
  lines.push(current);
  return lines.join('\n');
}
