// hyparquet allocates and counts by what a file says, so what a file says is checked before hyparquet reads it.

/**
 * A number of a file.
 *
 * @param what it is, for the message.
 * @throws Error when it is no whole number from 0 to `most`.
 */
export function within(value: unknown, most: number, what: string): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= most) return number;
  throw new Error(`${what}: ${String(number)} is not between 0 and ${most}`);
}

/**
 * A varint (unsigned LEB128): seven bits a byte, the lowest first, and the eighth bit on all bytes but the last.
 *
 * @returns the number, and where it ends.
 * @throws Error when it is not whole, or has more than the ten bytes of 64 bits.
 */
export function varintAt(bytes: Uint8Array, from: number): [value: number, end: number] {
  let value = 0;
  for (let i = 0; i < 10 && from + i < bytes.length; i++) {
    const byte = bytes[from + i];
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return [value, from + i + 1];
  }
  throw new Error(`no number at byte ${from}`);
}

/** How deep structures and lists may lie in each other. Parquet's metadata have a depth of about 8. */
const DEEPEST = 32;

/**
 * Walk over a structure in Thrift's compact protocol
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md) as hyparquet does.
 *
 * @param most the number of fields and elements of lists that there may be.
 * @throws Error when it does not end, or a list, a text or an integer is longer than its bytes.
 */
export function checkThrift(bytes: Uint8Array, from: number, most: number): void {
  let [offset, count] = [from, 0];
  const skip = (length: number) => {
    offset += within(length, bytes.length - offset, "bytes of a field");
  };
  const byte = () => {
    skip(1);
    return bytes[offset - 1];
  };
  const integer = () => {
    const [value, end] = varintAt(bytes, offset);
    offset = end;
    return value;
  };

  function list(depth: number): void {
    const head = byte();
    const type = head & 15;
    const length = head >> 4 === 15 ? integer() : head >> 4;
    // Each element takes at least one byte.
    within(length, bytes.length - offset, "elements of a list");
    for (let i = 0; i < length; i++) element(type === 1 || type === 2 ? 3 : type, depth);
  }
  function structure(depth: number): void {
    for (let head = byte(); (head & 15) !== 0; head = byte()) {
      if (head >> 4 === 0) integer();
      element(head & 15, depth);
    }
  }
  function element(type: number, depth: number): void {
    within(++count, most, "fields");
    within(depth, DEEPEST, "structures in each other");
    if (type === 3) skip(1);
    else if (type >= 4 && type <= 6) integer();
    else if (type === 7) skip(8);
    else if (type === 8) skip(integer());
    else if (type === 9) list(depth + 1);
    else if (type === 12) structure(depth + 1);
    else if (type > 2) throw new Error(`a field has the unknown type ${type}`);
  }
  structure(0);
}

/**
 * Walk over numbers in the hybrid of run lengths and packed bits
 * (https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE) as hyparquet does.
 *
 * @param width the bits of each number.
 * @param count how many numbers will be read.
 * @throws Error when a run is longer.
 */
export function checkRuns(page: Uint8Array, from: number, width: number, count: number): void {
  within(width, 32, "bits of a number");
  for (let [offset, seen] = [from, 0]; seen < count && offset < page.length; ) {
    const [head, start] = varintAt(page, offset);
    const length = Math.floor(head / 2);
    if (head % 2 === 1) {
      // hyparquet reads a byte even of an empty run.
      offset = start + Math.max(1, within(length, width ? page.length : count, "packed numbers") * width);
      seen += 8 * length;
    } else {
      offset = start + Math.ceil(width / 8);
      seen += within(length, count, "equal numbers");
    }
  }
}

/**
 * Walk over the elements of Snappy (https://github.com/google/snappy/blob/main/format_description.txt). hyparquet reads
 * long literals as having a negative length, and then does not end.
 *
 * @returns how many bytes they unpack to.
 * @throws Error when the last element is not whole, or it unpacks to another length than it says.
 */
export function snappyLength(packed: Uint8Array): number {
  const [length, start] = varintAt(packed, 0);
  let size = 0;
  for (let offset = start; offset < packed.length; ) {
    const tag = packed[offset];
    const kind = tag & 3;
    let count = (tag >> 2) + 1;
    offset += [1, 2, 3, 5][kind];
    if (kind === 1) count = ((tag >> 2) & 7) + 4;
    if (kind === 0) {
      const more = Math.max(0, count - 60);
      if (more > 0) count = 1;
      for (let i = 0; i < more; i++) count += packed[offset + i] * 2 ** (8 * i);
      offset += more + count;
    }
    if (!(offset <= packed.length)) throw new Error("a page is cut off");
    size += count;
  }
  if (size !== length) throw new Error(`a page has ${size} bytes in place of ${length}`);
  return length;
}
