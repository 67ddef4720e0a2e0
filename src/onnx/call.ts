import { GanOnnxError, messageOf, text } from "../error.js";
import { normalizeAxis } from "../graph/ops/infer.js";
import type { Value } from "../graph/value.js";
import { numbersIn } from "./content.js";
import type { AttributeValues, FileGraph, FileNode } from "./message.js";

type Kind = keyof AttributeValues;

/** What a rule is given beside the node: where it stands, and how the graphs inside it are read. */
export interface Surroundings {
  /** The version of the node's operator set. */
  readonly opset: number;
  /** What messages call the place: file, node, operator, opset. */
  readonly where: string;
  /** Whether batch normalization works as in training. */
  readonly training: boolean;
  /** Read a graph inside the node, in which the values around it can be read. */
  run(graph: FileGraph): readonly Value[];
  /** Say something that a user should know. */
  note(text: string): void;
  /** What a running statistic becomes in training. */
  record(statistic: Value, next: Value): void;
}

/** A node of a file with its inputs as values: what is asked of it is checked. */
export type Call = ReturnType<typeof callOf>;

export function callOf(node: FileNode, values: readonly (Value | undefined)[], around: Surroundings) {
  const fail = (what: string, fix = "export the model in another way", cause?: unknown): never => {
    throw new GanOnnxError({ what, where: around.where, fix, cause });
  };

  const optional = (i: number): Value | undefined => values[i];

  const input = (i: number): Value => values[i] ?? fail(`input ${i} is missing`);

  function attribute<K extends Kind>(name: string, kind: K): AttributeValues[K] | undefined {
    const found = node.attributes.get(name);
    if (!found) return undefined;
    if (found.kind !== kind) fail(`the attribute ${name} is ${found.kind}, not ${kind}`);
    return found.value as AttributeValues[K];
  }

  /** An attribute that must be there. */
  function required<K extends Kind>(name: string, kind: K): AttributeValues[K] {
    return attribute(name, kind) ?? fail(`the attribute ${name} is missing`);
  }

  /** The numbers of an optional input, which must be known; what it is for is said if they are not. */
  function numbers(i: number, name: string): readonly number[] | undefined {
    const value = values[i];
    if (!value) return undefined;
    return (
      numbersIn(value) ??
      fail(`input ${i} (${name}) is computed, and its numbers are not known`, "make it a constant")
    );
  }

  /** What was an attribute until an opset and is an input since. */
  function numbersOf(name: string, i: number, since: number): readonly number[] | undefined {
    return around.opset >= since ? numbers(i, name) : attribute(name, "ints");
  }

  function axis(of: Value, standard: number | undefined, name = "axis"): number {
    const given = attribute(name, "int") ?? standard ?? fail(`the attribute ${name} is missing`);
    return normalizeAxis(around.where, given, of.shape.length);
  }

  return {
    ...around,
    node,
    values,
    optional,
    input,
    int: (name: string, standard: number) => attribute(name, "int") ?? standard,
    float: (name: string, standard: number) => attribute(name, "float") ?? standard,
    string: (name: string, standard: string) => attribute(name, "string") ?? standard,
    ints: (name: string) => attribute(name, "ints"),
    attribute,
    required,
    numbers,
    numbersOf,
    axis,
    fail,
  };
}

/** What a rule returns: the outputs of the node, in their order. */
export type Rule = (call: Call) => Value | readonly Value[];

/** The operators of a family, by ONNX's names. */
export type Rules = Readonly<Record<string, Rule>>;

/** The error of a node, whatever was thrown while it was read: it names the node, the innermost of functions. */
export function nodeError(where: string, cause: unknown): GanOnnxError {
  if (cause instanceof GanOnnxError) {
    const { parts } = cause;
    if (String(parts.where).includes(": node ")) return cause;
    return new GanOnnxError({ what: text`${parts.where}: ${parts.what}`, where, fix: parts.fix, cause });
  }
  return new GanOnnxError({ what: messageOf(cause), where, fix: "export the model in another way", cause });
}
