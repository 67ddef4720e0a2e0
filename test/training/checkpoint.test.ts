import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GanOnnxError } from "../../src/error.js";
import { readCheckpoint } from "../../src/runs/checkpoints.js";
import { encodeSafetensors } from "../../src/tensors/safetensors.js";
import { tensorIn, zeros } from "../../src/tensors/tensor.js";
import { type Checkpoint, checkState, encodeCheckpoint } from "../../src/training/checkpoint.js";
import { initialState } from "../../src/training/state.js";
import { temporaryFolder } from "../data/files.js";
import { tinyDesign, tinyImage } from "../helpers/design.js";

const design = tinyDesign();
const checkpoint: Checkpoint = {
  position: { recipe: "vanilla", seed: 9, epoch: 3, step: 17, images: 450, ...tinyImage },
  state: initialState(design, 9),
};

async function written(): Promise<string> {
  const path = join(await temporaryFolder(), "checkpoint.safetensors");
  await writeFile(path, encodeCheckpoint(checkpoint));
  return path;
}

/** The message of what a promise is rejected with, which must be an error that users can read. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(GanOnnxError);
  const { message } = error as GanOnnxError;
  expect(message).not.toContain("\n");
  return message;
}

test("a checkpoint comes back as it was, and equal ones are equal files", async () => {
  const [first, second] = [await written(), await written()];
  expect(await readCheckpoint(first)).toEqual(checkpoint);
  expect(Buffer.compare(await readFile(first), await readFile(second))).toBe(0);
  checkState(await readCheckpoint(first), design, first);
});

describe("a file is refused by its name when it", () => {
  test("is not there", async () => {
    expect(await refusal(readCheckpoint("/nowhere/c.safetensors"))).toMatch(
      /^\/nowhere\/c\.safetensors: no such file: .* first checkpoint/,
    );
  });

  test.each([0, 4, 100, -1])("is cut off (%i bytes)", async (length) => {
    const path = await written();
    await writeFile(path, (await readFile(path)).subarray(0, length));
    expect(await refusal(readCheckpoint(path))).toContain(`${path}: `);
  });

  test("is something else", async () => {
    const path = await written();
    await writeFile(path, "this is no checkpoint, but a text of some length");
    expect(await refusal(readCheckpoint(path))).toContain(`${path}: `);
  });

  test.each([
    ["no metadata", {}, "format"],
    ["another format", { format: "other" }, "format"],
    ["no recipe", { format: "gan-onnx checkpoint 1", seed: "1" }, "recipe"],
    ["no epoch", { format: "gan-onnx checkpoint 1", recipe: "vanilla", seed: "1" }, "epoch"],
    [
      "an epoch that is no number",
      { format: "gan-onnx checkpoint 1", recipe: "vanilla", seed: "1", epoch: "many" },
      "epoch",
    ],
  ])("has %s", async (_, metadata: Record<string, string>, field) => {
    const path = await written();
    await writeFile(path, encodeSafetensors(new Map(), metadata));
    expect(await refusal(readCheckpoint(path))).toContain(
      `${path}: is not a checkpoint of gan-onnx (metadata ${field} `,
    );
  });
});

describe("a checkpoint does not fit", () => {
  const check = async (state: Checkpoint["state"], recipe = "vanilla") =>
    checkState({ ...checkpoint, state }, { ...design, recipe }, "c");

  test("another recipe", async () => {
    expect(await refusal(check(checkpoint.state, "wgan-gp"))).toBe(
      "c: is a checkpoint of the recipe vanilla, not of wgan-gp; use recipe vanilla",
    );
  });

  test("a design with other tensors: it names all of them", async () => {
    const { shape } = tensorIn(checkpoint.state, "generator/parameters");
    const broken = new Map(checkpoint.state)
      .set("generator/parameters", zeros("float32", [5]))
      .set("generator/second_moment", zeros("float64", shape))
      .set("generator/third_moment", zeros("float32", []));
    broken.delete("discriminator/first_moment");
    const message = await refusal(check(broken));
    expect(message).toMatch(/^c: does not fit the configuration: /);
    expect(message).toContain("discriminator/first_moment is missing");
    expect(message).toContain("generator/third_moment is extra");
    expect(message).toContain("generator/parameters is float32 [5] instead of float32 [193]");
    expect(message).toContain("generator/second_moment is float64 [193] instead of float32 [193]");
    expect(message).not.toContain("discriminator/parameters");
  });
});
