import { z } from "zod";
import { GanOnnxError } from "../error.js";
import { readBytes, writeAtomically } from "../files.js";
import { differences } from "./expected.js";
import { type Design, type RecipeName, recipeNames } from "./recipes/index.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";
import type { Tensors } from "./session.js";
import { slotStates, stateTensors } from "./state.js";

const number = z.coerce.number().int().min(0);

/**
 * How far a run has come. All random numbers follow from the seed, the epoch and the step, so these three are the
 * state of the random stream too.
 */
const position = z.object({
  format: z.literal("gan-onnx checkpoint 1"),
  recipe: z.enum(recipeNames),
  seed: number,
  /** Epochs that are complete. */
  epoch: number,
  /** Steps made in the epoch after those. */
  step: number,
  /** The data that the run learns from: going on with other images would not be the same run. */
  images: number,
  channels: number,
  height: number,
  width: number,
});

export type Position = Omit<z.infer<typeof position>, "format">;

export interface Checkpoint {
  readonly position: Position;
  readonly state: Tensors;
}

/** Write a checkpoint as safetensors, whole or not at all. */
export async function writeCheckpoint(path: string, { position, state }: Checkpoint): Promise<void> {
  const metadata = Object.entries({ format: "gan-onnx checkpoint 1", ...position });
  const strings = Object.fromEntries(metadata.map(([key, value]) => [key, String(value)]));
  await writeAtomically(path, encodeSafetensors(new Map(Object.entries(state)), strings));
}

/**
 * Read a checkpoint. Its tensors are checked by {@link checkState}, once the design is known that they belong to.
 *
 * @throws GanOnnxError naming file and field when it is missing, corrupt or something else.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = decodeSafetensors(await readBytes(path), path);
  const parsed = position.safeParse(metadata);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new GanOnnxError({
      what: `is no checkpoint of gan-onnx (metadata ${issue.path.join(".")}: ${issue.message})`,
      where: path,
      fix: "name the checkpoint.safetensors of a run",
    });
  }
  const { format: _, ...rest } = parsed.data;
  return { position: rest, state: Object.fromEntries(tensors) };
}

/**
 * Check that a checkpoint is one of this recipe and design; the message lists every tensor that is not as it should be.
 *
 * @param slots whether what the optimizer remembers must be there: what is drawn or exported does without.
 */
export function checkState(
  { position, state }: Checkpoint,
  { recipe, design }: { recipe: RecipeName; design: Design },
  path: string,
  { slots = true } = {},
): void {
  if (position.recipe !== recipe) {
    throw new GanOnnxError({
      what: `is a checkpoint of the recipe ${position.recipe}, not of ${recipe}`,
      where: path,
      fix: `go on with --recipe ${position.recipe}`,
    });
  }
  const expected = stateTensors(design).map(
    ({ name, shape }) => [name, { dtype: "float32", shape }] as const,
  );
  const found = new Map(Object.entries(state));
  const optional = slots ? [] : slotStates(design).filter((name) => !found.has(name));
  const needed = expected.filter(([name]) => !optional.includes(name));
  const complaints = differences(found, new Map(needed));
  if (complaints.length === 0) return;
  throw new GanOnnxError({
    what: `does not fit the configuration: ${complaints.join(", ")}`,
    where: path,
    fix: "go on with the config.json that the run was started with",
  });
}
