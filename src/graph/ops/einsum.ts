import { GanOnnxError } from "../../error.js";
import { type Dim, productOf, type Shape, shapeError } from "../dims.js";
import type { Value } from "../value.js";
import { equal, mul, where } from "./elementwise.js";
import { positions } from "./generate.js";
import { matmul } from "./matmul.js";
import { sum } from "./reduce.js";
import { reshape, transpose, unsqueeze } from "./reshape.js";

/** A value with a label for each axis. */
interface Labelled {
  readonly x: Value;
  readonly labels: readonly string[];
}

function equationError(equation: string, what: string): GanOnnxError {
  return new GanOnnxError({
    what: `${what} in ${equation}`,
    where: "Einsum",
    fix: "write it as in ij,jk->ik",
  });
}

/** The labels of a term. Each axis of an ellipsis gets a label, counted from the last axis. */
function labelsOf(equation: string, term: string, rank: number): string[] {
  const [before, after, ...more] = term.split("...");
  const named = (part: string) => [...part];
  if (more.length > 0 || !/^[A-Za-z.]*$/.test(term)) throw equationError(equation, `no term is ${term}`);
  if (after === undefined) return named(before);
  const count = rank - before.length - after.length;
  const others = Array.from({ length: Math.max(count, 0) }, (_, i) => `...${count - 1 - i}`);
  return [...named(before), ...others, ...named(after)];
}

/**
 * The labels of the result of an equation without an arrow: the ellipsis, then all labels that occur once, in
 * alphabetical order.
 */
function impliedLabels(terms: readonly (readonly string[])[]): string[] {
  const all = terms.flat();
  const once = all.filter((label) => all.indexOf(label) === all.lastIndexOf(label) && !label.startsWith("."));
  return [...ellipsisOf(terms), ...once.sort()];
}

/** The labels of the longest ellipsis, in order. */
function ellipsisOf(terms: readonly (readonly string[])[]): string[] {
  const all = terms.map((labels) => labels.filter((label) => label.startsWith(".")));
  return all.reduce((longest, labels) => (labels.length > longest.length ? labels : longest), []);
}

/**
 * Sums of products over labelled axes: https://onnx.ai/onnx/operators/onnx__Einsum.html. Each pair of values becomes
 * one batched matrix product.
 *
 * @param equation as in numpy: `bij,bjk->bik`, with or without an arrow and an ellipsis.
 * @throws {@link GanOnnxError} when the equation is invalid or does not match the shapes.
 */
export function einsum(equation: string, values: readonly Value[]): Value {
  const [left, right, ...more] = equation.replaceAll(/\s/g, "").split("->");
  const terms = left.split(",");
  if (terms.length !== values.length || more.length > 0) {
    throw equationError(equation, `${terms.length} terms for ${values.length} values`);
  }
  const operands = values.map((x, i): Labelled => {
    const labels = labelsOf(equation, terms[i], x.shape.length);
    if (labels.length !== x.shape.length)
      throw shapeError("Einsum", `${terms[i]} is not the rank of`, [x.shape]);
    return diagonal({ x, labels });
  });
  const all = operands.map(({ labels }) => labels);
  const result =
    right === undefined
      ? impliedLabels(all)
      : labelsOf(equation, right, ellipsisOf(all).length + right.replace("...", "").length);
  const stranger = result.find((label) => !all.flat().includes(label));
  if (stranger !== undefined) throw equationError(equation, `nothing has the axis ${stranger}`);

  const product = operands.reduce((a, b, i) => {
    const later = operands.slice(i + 1).flatMap(({ labels }) => labels);
    return contract(a, b, new Set([...result, ...later]));
  });
  const { x, labels } = summed(product, new Set(result));
  return transposed(
    x,
    result.map((label) => labels.indexOf(label)),
  );
}

function transposed(x: Value, perm: readonly number[]): Value {
  return perm.every((from, to) => from === to) ? x : transpose(x, perm);
}

/** Replace axes with the same label by their diagonal: mask the other elements, then sum. */
function diagonal({ x, labels }: Labelled): Labelled {
  const again = labels.findIndex((label, axis) => labels.indexOf(label) !== axis);
  if (again < 0) return { x, labels };
  const onDiagonal = equal(positions(x, labels.indexOf(labels[again])), positions(x, again));
  return diagonal({ x: sum(where(onDiagonal, x, 0), [again]), labels: labels.toSpliced(again, 1) });
}

/** Sum over the axes that are not kept. */
function summed({ x, labels }: Labelled, kept: ReadonlySet<string>): Labelled {
  const axes = labels.flatMap((label, axis) => (kept.has(label) ? [] : [axis]));
  return axes.length === 0
    ? { x, labels }
    : { x: sum(x, axes), labels: labels.filter((label) => kept.has(label)) };
}

/** The product of two values, summed over the shared axes that are not kept. */
function contract(left: Labelled, right: Labelled, kept: ReadonlySet<string>): Labelled {
  const a = summed(left, new Set([...kept, ...right.labels]));
  const b = summed(right, new Set([...kept, ...left.labels]));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => kept.has(label));
  const inner = shared.filter((label) => !kept.has(label));
  const [rows, columns] = [a, b].map(({ labels }) => labels.filter((label) => !shared.includes(label)));
  const labels = [...batch, ...rows, ...columns];
  if (inner.length === 0) {
    const apart = (of: Labelled) => spreadTo(of, labels);
    return { x: mul(apart(a), apart(b)), labels };
  }
  const extents = (of: Labelled, names: readonly string[]): Dim[] =>
    names.map((name) => of.x.shape[of.labels.indexOf(name)]);
  const matrices = (of: Labelled, first: readonly string[], second: readonly string[]) => {
    const order = [...batch, ...first, ...second].map((label) => of.labels.indexOf(label));
    const shape: Shape = [
      ...extents(of, batch),
      productOf(extents(of, first)),
      productOf(extents(of, second)),
    ];
    return reshape(transposed(of.x, order), shape);
  };
  const product = matmul(matrices(a, rows, inner), matrices(b, inner, columns));
  const outer = product.shape.slice(0, batch.length);
  return { x: reshape(product, [...outer, ...extents(a, rows), ...extents(b, columns)]), labels };
}

/** Put the axes in the order of `all`, with extent 1 for missing labels. */
function spreadTo({ x, labels }: Labelled, all: readonly string[]): Value {
  const own = all.filter((label) => labels.includes(label));
  const ordered = transposed(
    x,
    own.map((label) => labels.indexOf(label)),
  );
  return unsqueeze(
    ordered,
    all.flatMap((label, axis) => (labels.includes(label) ? [] : [axis])),
  );
}
