/** Numbers that depend on a seed only (xoshiro128**, Blackman and Vigna), so that every case of a fuzz run can be made again. */

export interface Random {
  /** A whole number from 0 up to, and without, `limit`. */
  below(limit: number): number;
  /** One of the elements; there must be one. */
  pick<Element>(elements: readonly Element[]): Element;
  bytes(length: number): Uint8Array;
}

/** The generator of one case: of a run's seed, a target's name and the case's number. */
export function randomFor(seed: number, target: string, number: number): Random {
  const state = new Uint32Array(4);
  let mixed = seed >>> 0;
  const mix = (value: number): number => {
    // splitmix32: spreads neighbouring seeds over all bits.
    mixed = (mixed + value + 0x9e37_79b9) >>> 0;
    let z = mixed;
    z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  for (const character of target) mix(character.charCodeAt(0));
  mix(number);
  for (let i = 0; i < 4; i++) state[i] = mix(i + 1);

  const next = (): number => {
    const [a = 0, b = 0, c = 0, d = 0] = state;
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    const c1 = c ^ a;
    const d1 = d ^ b;
    state.set([a ^ d1, b ^ c1, c1 ^ (b << 9), rotated(d1, 11)]);
    return result;
  };
  const below = (limit: number): number => (limit <= 1 ? 0 : Math.floor((next() / 2 ** 32) * limit));
  return {
    below,
    pick: (elements) => {
      const element = elements[below(elements.length)];
      if (element === undefined) throw new RangeError('there is nothing to pick from');
      return element;
    },
    bytes: (length) => Uint8Array.from({ length }, () => next() >>> 24),
  };
}

function rotated(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
