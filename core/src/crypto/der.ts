/**
 * Reading ASN.1 in its binary encodings (X.690), as far as certificates need it: DER, and indefinite lengths, which
 * some issuers use around the certificates of a PKCS#7 file. Everything read is a view into the input, so that what
 * was signed is never re-encoded. Leaves out writing, and tag numbers above 30, which no certificate structure uses.
 * (PKCS#12 is read with node-forge, see `pkcs12.ts`; this reader is here so that showing a certificate loads no
 * library.)
 */

/** Makes the error to throw for a violation; which code it has is its caller's to say. */
export type Refuse = (problem: string) => Error;

/** Identifier octets of the types that are read here. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Identifier octet of a context-specific tag. */
export function contextTag(number: number, form: 'primitive' | 'constructed'): number {
  return (form === 'constructed' ? 0xa0 : 0x80) | number;
}

export interface DerElement {
  /** The identifier octet. */
  readonly tag: number;
  readonly content: Uint8Array;
  /** Identifier, length and content. */
  readonly encoded: Uint8Array;
}

const maximumDepth = 32;
const constructedBit = 0x20;
const indefiniteLength = 0x80;

/** The one element that `bytes` consist of. */
export function readElement(bytes: Uint8Array, refuse: Refuse): DerElement {
  const { element, end } = elementAt(bytes, 0, refuse, 0);
  if (end !== bytes.length) throw refuse('there are bytes after its end');
  return element;
}

/** The elements inside a constructed one. */
export function readChildren(element: DerElement, refuse: Refuse): readonly DerElement[] {
  if ((element.tag & constructedBit) === 0)
    throw refuse('a structure is expected where there is a plain value');
  const children: DerElement[] = [];
  for (let offset = 0; offset < element.content.length;) {
    const { element: child, end } = elementAt(element.content, offset, refuse, 0);
    children.push(child);
    offset = end;
  }
  return children;
}

/** Demands an element with this tag. */
export function expectTag(element: DerElement | undefined, tag: number, refuse: Refuse): DerElement {
  if (element?.tag !== tag) throw refuse('its structure is not the expected one');
  return element;
}

/** An object identifier in dotted form; X.690, 8.19. */
export function readOid(element: DerElement | undefined, refuse: Refuse): string {
  const { content } = expectTag(element, derTag.oid, refuse);
  const arcs: bigint[] = [];
  let arc = 0n;
  let complete = true;
  for (const byte of content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    complete = (byte & 0x80) === 0;
    if (!complete) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const first = arcs.shift();
  if (first === undefined || !complete || content.length > 64)
    throw refuse('an object identifier is not valid');
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...arcs].join('.');
}

/** The bits of a BIT STRING that are set, numbered as X.680 names them (0 is the first). */
export function readNamedBits(element: DerElement | undefined, refuse: Refuse): ReadonlySet<number> {
  const { content } = expectTag(element, derTag.bitString, refuse);
  const set = new Set<number>();
  content.subarray(1).forEach((byte, index) => {
    for (let bit = 0; bit < 8; bit++) if ((byte & (0x80 >> bit)) !== 0) set.add(index * 8 + bit);
  });
  return set;
}

function elementAt(
  bytes: Uint8Array,
  start: number,
  refuse: Refuse,
  depth: number,
): { readonly element: DerElement; readonly end: number } {
  if (depth > maximumDepth) throw refuse('it is nested too deeply');
  const tag = bytes[start];
  const first = bytes[start + 1];
  if (tag === undefined || first === undefined) throw refuse('it ends too early');
  if ((tag & 0x1f) === 0x1f) throw refuse('it uses a tag that no certificate has');
  if (first === indefiniteLength) {
    if ((tag & constructedBit) === 0) throw refuse('a plain value has no length');
    return indefinite(bytes, start, refuse, depth);
  }
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4) throw refuse('a length is absurd');
  let length = lengthBytes === 0 ? first : 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + (bytes[start + 2 + i] ?? 0);
  const from = start + 2 + lengthBytes;
  const end = from + length;
  if (end > bytes.length) throw refuse('it ends too early');
  return {
    element: { tag, content: bytes.subarray(from, end), encoded: bytes.subarray(start, end) },
    end,
  };
}

/** Contents up to the end-of-contents octets 00 00; X.690, 8.1.3.6. */
function indefinite(
  bytes: Uint8Array,
  start: number,
  refuse: Refuse,
  depth: number,
): { readonly element: DerElement; readonly end: number } {
  let offset = start + 2;
  while (bytes[offset] !== 0 || bytes[offset + 1] !== 0)
    offset = elementAt(bytes, offset, refuse, depth + 1).end;
  const end = offset + 2;
  return {
    element: {
      tag: bytes[start] ?? 0,
      content: bytes.subarray(start + 2, offset),
      encoded: bytes.subarray(start, end),
    },
    end,
  };
}
