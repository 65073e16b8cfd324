/** Tells the demonstration: who does what, what the computer answered, and at the end one table of it all. */
import type { StepOutput } from './simulated-computer.ts';

interface Told {
  readonly who: string;
  readonly what: string;
  readonly outcome: string;
}

export class Narrator {
  readonly #told: Told[] = [];
  #number = 0;

  title(text: string): void {
    print(`${text}\n${'='.repeat(text.length)}`);
  }

  chapter(text: string): void {
    print(`\n${text}\n${'-'.repeat(text.length)}`);
  }

  text(text: string): void {
    print(text);
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
    print('\nAll at a glance');
    this.#told.forEach(({ who, what, outcome }, index) => {
      const number = String(index + 1).padStart(2);
      print(`  ${number}  ${who.padEnd(widths.who)}  ${what.padEnd(widths.what)}  ${outcome}`);
    });
    print('');
  }

  async #tell(who: string, what: string, outcome: string, work: () => Promise<StepOutput>): Promise<void> {
    this.#number += 1;
    print(`\n${this.#number}. ${who} ${what}:`);
    for (const line of await work()) print(`     ${line}`);
    this.#told.push({ who, what, outcome });
  }
}

function longest(told: readonly Told[], field: keyof Told): number {
  return Math.max(...told.map((one) => one[field].length));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
