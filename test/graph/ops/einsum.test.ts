import { expect, test } from "vitest";
import { einsum, gatherND, input, scatterND, type Value } from "../../../src/graph/index.js";
import { evaluate } from "../../helpers/run.js";

const integers = (length: number, seed: number) => Array.from({ length }, (_, i) => ((seed * i) % 11) - 5);
const product = (numbers: readonly number[]) => numbers.reduce((total, n) => total * n, 1);

/** The definition: a sum over all labels that the result has not, without a thought for speed. */
function plain(
  terms: readonly string[],
  result: string,
  shapes: readonly number[][],
  data: readonly number[][],
) {
  const extents = new Map(
    terms.flatMap((term, i) => [...term].map((label, axis) => [label, shapes[i][axis]] as const)),
  );
  const labels = [...extents.keys()];
  const sizes = labels.map((label) => extents.get(label) as number);
  const wanted = Array<number>(product([...result].map((label) => extents.get(label) as number))).fill(0);
  const offset = (term: string, at: readonly number[]) =>
    [...term].reduce((total, label) => total * (extents.get(label) as number) + at[labels.indexOf(label)], 0);
  for (let n = 0; n < product(sizes); n++) {
    const at = sizes.map((size, i) => Math.floor(n / product(sizes.slice(i + 1))) % size);
    wanted[offset(result, at)] += product(terms.map((term, i) => data[i][offset(term, at)]));
  }
  return wanted;
}

test.each<[string, string, number[][]]>([
  [
    "ij,jk->ik",
    "ij,jk->ik",
    [
      [2, 3],
      [3, 4],
    ],
  ],
  [
    "bij,bkj->bik",
    "bij,bkj->bik",
    [
      [2, 3, 2],
      [2, 4, 2],
    ],
  ],
  [
    "bqhd, bkhd -> bhqk",
    "bqhd,bkhd->bhqk",
    [
      [2, 3, 2, 2],
      [2, 4, 2, 2],
    ],
  ],
  [
    "ij,kl->jlik",
    "ij,kl->jlik",
    [
      [2, 3],
      [2, 2],
    ],
  ],
  [
    "ij,ij",
    "ij,ij->",
    [
      [2, 3],
      [2, 3],
    ],
  ],
  [
    "ba,ca",
    "ba,ca->bc",
    [
      [2, 3],
      [4, 3],
    ],
  ],
  [
    "...ij,...jk->...ik",
    "abij,abjk->abik",
    [
      [2, 2, 2, 3],
      [2, 2, 3, 1],
    ],
  ],
  [
    "i...,i...->...",
    "iab,iab->ab",
    [
      [3, 2, 2],
      [3, 2, 2],
    ],
  ],
  ["ij->ji", "ij->ji", [[2, 3]]],
  ["ij->", "ij->", [[2, 3]]],
  ["ii->i", "ii->i", [[3, 3]]],
  ["bii->b", "bii->b", [[2, 3, 3]]],
  [
    "ij,jk,kl->il",
    "ij,jk,kl->il",
    [
      [2, 3],
      [3, 2],
      [2, 3],
    ],
  ],
  [
    "ijk,kjl->il",
    "ijk,kjl->il",
    [
      [2, 3, 2],
      [2, 3, 4],
    ],
  ],
  ["ik,i->k", "ik,i->k", [[2, 3], [2]]],
])("%s", async (equation, definition, shapes) => {
  const xs = shapes.map((shape, i) => input(`x${i}`, "float32", shape));
  const data = shapes.map((shape, i) => integers(product(shape), 3 + 2 * i));
  const [left, right] = definition.split("->");
  const { y } = await evaluate(
    { y: einsum(equation, xs) },
    Object.fromEntries(data.map((all, i) => [`x${i}`, all])),
  );
  expect(Array.from(y.data, Number).map((n) => n + 0)).toEqual(plain(left.split(","), right, shapes, data));
});

test("equations that do not fit are refused", () => {
  const x = input("x", "float32", ["batch", 3]);
  expect(() => einsum("ij,jk->ik", [x])).toThrow("Einsum: 2 terms for 1 values in ij,jk->ik");
  expect(() => einsum("ijk->k", [x])).toThrow("Einsum: ijk is not the rank of: [batch, 3]");
  expect(() => einsum("ij->k", [x])).toThrow("Einsum: nothing has the axis k in ij->k");
  expect(() => einsum("i1->i", [x])).toThrow("Einsum: no term is i1 in i1->i");
  expect(() => einsum("ij,ik->jk", [x, input("y", "float32", [4, 2])])).toThrow(
    "MatMul: inner dimensions differ",
  );
});

const numbers = (y: Value, feeds: Parameters<typeof evaluate>[1]) =>
  evaluate({ y }, feeds).then(({ y }) => ({ dims: y.dims, numbers: Array.from(y.data, Number) }));

test("places in several axes, taken and written", async () => {
  const x = input("x", "float32", ["batch", 2, 2]);
  const index = input("i", "int64", [2, 2]);
  const feeds = { x: [0, 1, 2, 3, 4, 5, 6, 7], i: [0, 1, 1, -2] };
  expect(await numbers(gatherND(x, index), feeds)).toEqual({ dims: [2, 2], numbers: [2, 3, 4, 5] });
  const each = input("i", "int64", ["batch", 2]);
  expect(await numbers(gatherND(x, each, 1), feeds)).toEqual({ dims: [2], numbers: [1, 6] });
  const updates = input("u", "float32", [2, 2]);
  const written = scatterND(x, index, updates);
  const added = scatterND(x, index, updates, "add");
  expect((await numbers(written, { ...feeds, u: [9, 8, 7, 6] })).numbers).toEqual([0, 1, 9, 8, 7, 6, 6, 7]);
  expect((await numbers(added, { ...feeds, u: [9, 8, 7, 6] })).numbers).toEqual([0, 1, 11, 11, 11, 11, 6, 7]);
  expect(() => scatterND(x, index, input("u", "float32", [2]))).toThrow(
    "Reshape: sizes differ: [2] and [2, 2]",
  );
  expect(() => gatherND(x, input("i", "int64", [1, 4]))).toThrow(
    "GatherND: an int64 index whose rows name places",
  );
});
