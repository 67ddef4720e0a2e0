import fc from "fast-check";
import { expect } from "vitest";
import { GanOnnxError, messageOf } from "../../src/error.js";

/** Cases for each reader: the same few each time, unless `FUZZ=10000` asks for as many new ones. */
const casesOf = (few: number) =>
  process.env.FUZZ ? { numRuns: Number(process.env.FUZZ) } : { numRuns: few, seed: 1 };

/**
 * How long they may take, in milliseconds: a test has this time whatever the number of cases, and each case
 * {@link SLOWEST} of processor time, so that a busy machine is no fault.
 */
export const PATIENCE = 3_600_000;
const SLOWEST = 5_000;

/** A file with some bytes changed, cut off, doubled or put in; or any bytes at all. */
export function damaged(whole: Uint8Array): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const at = fc.nat(whole.length - 1);
  const change = fc.oneof(
    fc.record({ kind: fc.constant("byte" as const), at, value: fc.nat(255) }),
    fc.record({ kind: fc.constant("cut" as const), at, value: fc.nat(64) }),
    fc.record({ kind: fc.constant("double" as const), at, value: fc.nat(64) }),
    fc.record({
      kind: fc.constant("number" as const),
      at,
      value: fc.constantFrom(0, 1, 0x7fffffff, 0xffffffff),
    }),
  );
  const changed = fc.array(change, { minLength: 1, maxLength: 6 }).map((changes) => {
    let bytes = [...whole];
    for (const { kind, at, value } of changes) {
      if (kind === "byte") bytes[at % bytes.length] = value;
      if (kind === "cut") bytes.splice(at, value);
      if (kind === "double") bytes = [...bytes.slice(0, at + value), ...bytes.slice(at)];
      if (kind === "number")
        for (let i = 0; i < 4; i++) bytes[(at + i) % bytes.length] = (value >>> (8 * i)) & 255;
      if (bytes.length === 0) bytes.push(0);
    }
    return Uint8Array.from(bytes);
  });
  const unrelated = fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.from(bytes));
  return fc.oneof({ arbitrary: changed, weight: 9 }, { arbitrary: unrelated, weight: 1 });
}

/** What a message may be: one line that a terminal shows as it is, and no longer than a person reads. */
export function expectPrintable(message: string): void {
  expect(message.length).toBeLessThan(7000);
  expect(message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]/u);
}

/** What may happen: it is read, or refused by one printable line that names the file; either way soon. */
async function readOrRefused(read: () => unknown): Promise<void> {
  const began = process.cpuUsage();
  try {
    await read();
  } catch (error) {
    expect(error).toBeInstanceOf(GanOnnxError);
    expectPrintable(messageOf(error));
  }
  const { user, system } = process.cpuUsage(began);
  expect((user + system) / 1000).toBeLessThan(SLOWEST);
}

/**
 * Many cases of what may happen to a reader.
 *
 * @param few how many there are unless `FUZZ` asks for more.
 */
export function everyCase<T>(values: fc.Arbitrary<T>, read: (value: T) => unknown, few = 150): Promise<void> {
  return fc.assert(
    fc.asyncProperty(values, (value) => readOrRefused(() => read(value))),
    casesOf(few),
  );
}

/** Nothing that a file says has changed what all objects have, and memory stayed below a gibibyte. */
export function expectUnharmed(): void {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(process.resourceUsage().maxRSS).toBeLessThan(2 ** 20);
}
