import type { NamedGraph, NamedNode } from "../src/graph/build.js";
import { type Shape, symbolOf } from "../src/graph/dims.js";

/**
 * Count the multiply-adds of the matrix products and convolutions in a graph, with given symbolic dimensions. A loop's
 * body counts once: for a training graph, that is one step.
 *
 * A product of [m, k] and [k, n] has m·k·n. A convolution has, for each number of its output, as many as its kernel has
 * weights for one output channel; a transposed convolution, for each number of its input. (Padding is counted like
 * image. A sum over rows that is written as a product with ones is not counted.)
 */
export function multiplyAdds(graph: NamedGraph, extents: Readonly<Record<string, number>>): number {
  return countIn(graph, new Map(), extents);
}

function countIn(
  graph: NamedGraph,
  outer: ReadonlyMap<string, Shape>,
  extents: Readonly<Record<string, number>>,
): number {
  const shapes = new Map(outer);
  for (const { name, shape } of [...graph.inputs, ...graph.initializers, ...graph.values, ...graph.outputs]) {
    shapes.set(name, shape);
  }
  const sizes = (name: string) => (shapes.get(name) ?? []).map((dim) => sizeIn(dim, extents));
  return graph.nodes.reduce((total, node) => {
    const inside = Object.values(node.bodies ?? {}).reduce(
      (sum, body) => sum + countIn(body, shapes, extents),
      0,
    );
    return total + inside + (counts[node.type]?.(node, sizes) ?? 0);
  }, 0);
}

type Count = (node: NamedNode, sizes: (name: string) => number[]) => number;

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

const counts: Readonly<Record<string, Count>> = {
  MatMul: ({ inputs: [a], outputs: [y] }, sizes) => product(sizes(y)) * (sizes(a).at(-1) ?? 1),
  Gemm: ({ inputs: [a], outputs: [y], attributes }, sizes) => {
    const transposed = attributes.some(({ name, value }) => name === "transA" && value === 1);
    // A product with a row of ones sums rows: it is not a product in the formulas.
    if (!transposed && sizes(a)[0] === 1) return 0;
    return product(sizes(y)) * sizes(a)[transposed ? 0 : 1];
  },
  Conv: ({ inputs: [, weight], outputs: [y] }, sizes) => product(sizes(y)) * product(sizes(weight).slice(1)),
  ConvTranspose: ({ inputs: [x, weight] }, sizes) => product(sizes(x)) * product(sizes(weight).slice(1)),
};

/** The size of a dimension: `2*batch` with a batch of 128 is 256. */
function sizeIn(dim: Shape[number], extents: Readonly<Record<string, number>>): number {
  const { coefficient, symbol } = symbolOf(dim);
  const symbols = symbol === "" ? [] : symbol.split("*");
  return coefficient * product(symbols.map((name) => extents[name]));
}
