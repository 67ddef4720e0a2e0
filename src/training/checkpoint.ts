import { z } from "zod";
import { checkSeal, seal, unsealed } from "../checksum.js";
import { GanOnnxError, setting, text } from "../error.js";
import type { Design } from "../recipes/index.js";

import { decodeSafetensors, encodeSafetensors } from "../tensors/safetensors.js";
import { floatsIn, type Tensors } from "../tensors/tensor.js";
import { formats } from "../version.js";
import { refusalOf } from "../wanted.js";
import { differences, listed } from "./expected.js";
import { slotStates, stateTensors } from "./state.js";

const number = z.coerce.number().int().min(0);

/**
 * The position of a run. All random numbers follow from the seed, the epoch and the step, so these are also the state
 * of the random stream.
 */
const position = z.object({
  format: z.literal(formats.checkpoint),
  recipe: z.string().min(1),
  seed: number,
  /** Complete epochs. */
  epoch: number,
  /** Steps in the current epoch. */
  step: number,
  /** The images of the run. Resuming with other images would not be the same run. */
  images: number,
  channels: number,
  height: number,
  width: number,
});

export type Position = Omit<z.infer<typeof position>, "format">;

/** The position of a training before its first step. */
export function startPosition({ recipe, image }: Design, images: number, seed: number): Position {
  return { recipe, seed, epoch: 0, step: 0, images, ...image };
}

export interface Checkpoint {
  readonly position: Position;
  readonly state: Tensors;
}

/** Encode a checkpoint as safetensors, with a checksum in its metadata. */
export function encodeCheckpoint({ position, state }: Checkpoint): Uint8Array<ArrayBuffer> {
  const metadata = Object.entries({ format: formats.checkpoint, ...position });
  const strings = Object.fromEntries(metadata.map(([key, value]) => [key, String(value)]));
  return seal(encodeSafetensors(state, { ...strings, ...unsealed }));
}

/**
 * Read a checkpoint. {@link checkState} checks its tensors when the design is known.
 *
 * @param where the name of the file, for messages.
 * @throws {@link GanOnnxError} when it is damaged or not a checkpoint.
 */
export function decodeCheckpoint(bytes: Uint8Array<ArrayBuffer>, where: string): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes, where);
  checkSeal(bytes, metadata, where);
  const parsed = position.safeParse(metadata);
  if (!parsed.success) {
    const field = parsed.error.issues[0].path.join(".");
    throw new GanOnnxError({
      what: `is not a checkpoint of gan-onnx (metadata ${field} ${refusalOf(parsed.error, position, metadata)})`,
      where,
      fix: "name the checkpoint.safetensors of a run",
    });
  }
  const { format: _, ...rest } = parsed.data;
  return { position: rest, state: tensors };
}

/**
 * Check that a checkpoint belongs to this design. The message lists every tensor that is wrong.
 *
 * @param slots whether optimizer slots are required. Drawing and exporting do not need them.
 * @throws {@link GanOnnxError} when it does not.
 */
export function checkState(
  { position, state }: Checkpoint,
  design: Design,
  path: string,
  { slots = true } = {},
): void {
  if (position.recipe !== design.recipe) {
    throw new GanOnnxError({
      what: `is a checkpoint of the recipe ${position.recipe}, not of ${design.recipe}`,
      where: path,
      fix: text`use ${setting("recipe", position.recipe)}`,
    });
  }
  const expected = stateTensors(design).map(
    ({ name, shape }) => [name, { dtype: "float32", shape }] as const,
  );
  const optional = slots ? [] : slotStates(design).filter((name) => !state.has(name));
  const needed = expected.filter(([name]) => !optional.includes(name));
  const complaints = differences(state, new Map(needed));
  if (complaints.length === 0) {
    checkNumbers(state, path);
    return;
  }
  throw new GanOnnxError({
    what: `does not fit the configuration: ${listed(complaints)}`,
    where: path,
    fix: "resume with the config.json that the run was started with",
  });
}

/**
 * Refuse numbers that are not finite. Training never stores them, so another program wrote the file, or it is damaged.
 */
function checkNumbers(state: Tensors, path: string): void {
  for (const name of state.keys()) {
    const broken = floatsIn(state, name).find((value) => !Number.isFinite(value));
    if (broken === undefined) continue;
    throw new GanOnnxError({
      what: `holds ${broken} in tensor ${name}`,
      where: path,
      fix: "use an earlier checkpoint, or start the run again with a lower learning rate",
    });
  }
}
