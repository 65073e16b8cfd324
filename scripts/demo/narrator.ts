/** Tells the demonstration: who does what, what the computer answered, and at the end one table of it all. */
import type { StepOutput } from './simulated-computer.ts';

interface Told {
  readonly who: string;
  readonly what: string;
  readonly outcome: string;
}

export class Narrator {
  readonly #print: (line: string) => void;
  readonly #told: Told[] = [];
  #number = 0;

  constructor(print = (line: string): void => void process.stdout.write(`${line}\n`)) {
    this.#print = print;
  }

  title(text: string): void {
    this.#print(`${text}\n${'='.repeat(text.length)}`);
  }

  chapter(text: string): void {
    this.#print(`\n${text}\n${'-'.repeat(text.length)}`);
  }

  text(text: string): void {
    this.#print(text);
  }

  /** A step that must succeed. */
  async step(who: string, what: string, work: () => Promise<StepOutput>): Promise<void> {
    await this.#tell(who, what, 'done', work);
  }

  /** A step that must be refused with this id; `work` fails where it is not. */
  async refused(who: string, what: string, id: string, work: () => Promise<StepOutput>): Promise<void> {
    await this.#tell(who, what, `refused: ${id}`, work);
  }

  /** Everything that was told, at a glance. */
  table(): void {
    const widths = { who: longest(this.#told, 'who'), what: longest(this.#told, 'what') };
    this.#print('\nAll at a glance');
    this.#told.forEach(({ who, what, outcome }, index) => {
      const number = String(index + 1).padStart(2);
      this.#print(`  ${number}  ${who.padEnd(widths.who)}  ${what.padEnd(widths.what)}  ${outcome}`);
    });
    this.#print('');
  }

  async #tell(who: string, what: string, outcome: string, work: () => Promise<StepOutput>): Promise<void> {
    this.#number += 1;
    this.#print(`\n${this.#number}. ${who} ${what}:`);
    for (const line of await work()) this.#print(`     ${line}`);
    this.#told.push({ who, what, outcome });
  }
}

function longest(told: readonly Told[], field: keyof Told): number {
  return Math.max(...told.map((one) => one[field].length));
}
