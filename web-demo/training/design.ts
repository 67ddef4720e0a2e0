import { GanOnnxError } from "../../src/error.js";
import { type Design, designOf, type ImageShape } from "../../src/recipes/index.js";
import type { Designed } from "../../src/training/file-design.js";
import { buildTraining, type TrainingModel } from "../../src/training/training-model.js";
import type { Plan } from "./plan.js";
import { settingsOf } from "./settings.js";

/** The design of a plan, with the networks of a graph that was dropped onto the page. */
export async function designFor(plan: Plan, image: ImageShape): Promise<Pick<Designed, "design" | "files">> {
  const { recipe, graph } = plan;
  const settings = settingsOf(plan);
  if (!graph) return { design: designOf(recipe, settings, image), files: new Map() };
  const [wanted, found] = [graph.image, image].map((each) =>
    [each.channels, each.height, each.width].join("×"),
  );
  if (wanted !== found) {
    throw new GanOnnxError({
      what: `trains on images of ${wanted}, and the data are ${found} (channels×height×width)`,
      where: "train.onnx",
      fix: "choose data of that size first, or build the graph for this size",
    });
  }
  const { networks: files, fresh, freeze } = graph;
  const { designWithFiles } = await import("../../src/training/file-design.js");
  return designWithFiles({ recipe, settings, image: graph.image, files, fresh, freeze });
}

/** The training graph: the one that was dropped, which must be one of this design. */
export function trainingOf({ graph: dropped }: Plan, design: Design): TrainingModel {
  const made = buildTraining(design);
  if (!dropped) return made;
  const { batches, states } = made.graph;
  const inputs = [...batches, ...states].map(({ name }) => name);
  if (inputs.length === dropped.inputs.length && inputs.every((name) => dropped.inputs.includes(name)))
    return { ...made, train: dropped.train };
  throw new GanOnnxError({
    what: "has other inputs than this version of the page feeds",
    where: "train.onnx",
    fix: "write it again by build-graphs of this version",
  });
}
