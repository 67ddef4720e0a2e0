import { expect, test } from "vitest";
import type { NamedGraph, NamedNode } from "../../src/graph/build.js";
import { recipeNames } from "../../src/recipes/index.js";
import { buildStepGraph } from "../../src/training/step-graph.js";
import { colour, designed } from "../helpers/recipes.js";
import { about } from "../helpers/run.js";

/** All nodes of a graph and of the graphs in it, but those that run a graph: WebGPU leaves them to the CPU. */
function nodesOf(graph: NamedGraph): readonly NamedNode[] {
  return graph.nodes.flatMap((node) => (node.bodies ? Object.values(node.bodies).flatMap(nodesOf) : [node]));
}

/** Operators whose inputs after the first are axes and extents, which ONNX Runtime reads on the CPU. */
const shaping = new Set([
  "Expand",
  "Pad",
  "ReduceSum",
  "Reshape",
  "Slice",
  "Split",
  "Squeeze",
  "Tile",
  "Unsqueeze",
]);

/** What a node binds on WebGPU: each tensor once. */
function buffersOf({ type, inputs, outputs }: NamedNode): number {
  const bound = shaping.has(type) ? inputs.slice(0, 1) : inputs;
  return new Set([...bound, ...outputs].filter((name) => name !== "")).size;
}

// https://www.w3.org/TR/webgpu/#limits: maxStorageBuffersPerShaderStage is at least 8.
test.each(recipeNames)("no node of %s needs more buffers than WebGPU guarantees", (recipe) => {
  for (const design of [designed(recipe), designed(recipe, {}, colour(64))]) {
    const nodes = nodesOf(buildStepGraph(design, about).model.graph);
    expect(nodes.length).toBeGreaterThan(50);
    const most = nodes.filter((node) => buffersOf(node) > 8);
    expect(most.map(({ name, type }) => `${type} ${name}`)).toEqual([]);
  }
});
