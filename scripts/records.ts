/**
 * `npm run records -- [--out records]`: records a trajectory of every recipe, small enough for any machine, and replays
 * each. The record of vanilla is the one that the package ships: it goes to models/trajectory.safetensors. Another
 * machine, execution provider or version replays the others with `gan-onnx verify FILE`.
 */
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { type RecipeName, recipeNames } from "../src/recipes/index.js";
import { cli } from "../test/helpers/cli.js";

const { values } = parseArgs({
  options: {
    /** The folder for the records of all recipes but vanilla. */
    out: { type: "string", default: "records" },
    /** Where the shipped record is written. */
    shipped: { type: "string", default: "models/trajectory.safetensors" },
  },
});

const image = ["--size", "12", "--batch-size", "8"];
const small = [...image, "--width", "4", "--latent", "4", "--steps", "3"];
const classes = ["--classes", "3"];
/** The command of each record. */
const settings: Record<RecipeName, readonly string[]> = {
  // This is described in models/README.md.
  vanilla: ["--size", "12", "--latent", "16", "--width", "32", "--batch-size", "32", "--steps", "10"],
  "wgan-gp": small,
  vae: small,
  dcgan: small,
  conditional: [...small, ...classes],
  r3gan: [...small, ...classes],
  flow: [...image, ...classes, "--width", "4", "--steps", "3"],
  // In these steps all windows of the training are passed.
  "latent-flow": [...image, ...classes, "--width", "4", "--latent", "4", "--neurons", "8", "--steps", "12"],
  "vae-gan": [
    ...[...image, ...classes, "--width", "4", "--latent", "4", "--components", "6", "--steps", "12"],
    ...["--classifier-weight", "1"],
  ],
  classifier: [...image, ...classes, "--width", "4", "--features", "8", "--steps", "3"],
};

const run = async (...args: readonly string[]) => {
  const { stderr } = await promisify(execFile)(process.execPath, [cli, ...args]);
  process.stderr.write(stderr);
};

await mkdir(values.out, { recursive: true });
for (const recipe of recipeNames) {
  const file = recipe === "vanilla" ? values.shipped : join(values.out, `${recipe}.safetensors`);
  await run("verify", "--record", file, "--recipe", recipe, ...settings[recipe]);
  await run("verify", file);
  console.log(file);
}
