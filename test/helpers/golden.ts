import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { RecipeName } from "../../src/recipes/index.js";
import { decodeSafetensors, type SafetensorsFile } from "../../src/tensors/safetensors.js";

const folder = process.env.GAN_ONNX_TEST_GOLDEN ?? resolve("..", "shared", "golden");

/** The reference trajectories in `shared/golden`, by recipe. */
const goldenFiles = {
  vanilla: "vanilla.safetensors",
  "wgan-gp": "wgan_gp.safetensors",
  vae: "vae.safetensors",
  dcgan: "dcgan.safetensors",
} satisfies Partial<Record<RecipeName, string>>;

export type GoldenRecipe = keyof typeof goldenFiles;
export const goldenRecipes = Object.keys(goldenFiles) as GoldenRecipe[];

export function goldenPath(recipe: GoldenRecipe): string {
  return join(folder, goldenFiles[recipe]);
}

/** Whether a recipe's record is missing, and the text for the name of the skipped test. */
export function goldenMissing(recipe: GoldenRecipe): { missing: boolean; note: string } {
  const missing = !existsSync(goldenPath(recipe));
  return { missing, note: missing ? ` (skipped: no ${goldenPath(recipe)})` : "" };
}

export async function readGolden(recipe: GoldenRecipe): Promise<SafetensorsFile> {
  const path = goldenPath(recipe);
  return decodeSafetensors(new Uint8Array(await readFile(path)), path);
}
