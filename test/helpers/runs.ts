import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tree } from "./cli.js";
import { writeIdxFolder } from "./dataset.js";

/** A folder in which `gan-onnx` trains: 451 small images in `data`, so an epoch has 226 steps with batches of 2. */
export async function trainingPlace() {
  const cwd = await mkdtemp(join(tmpdir(), "gan-onnx-runs-"));
  await writeIdxFolder(join(cwd, "data"), { count: 451, size: 8 });
  return {
    cwd,
    /** The arguments of a new run in the folder `out`. */
    train: (out: string, epochs: number, more: readonly string[] = []): string[] => {
      const small = ["--batch-size", "2", "--latent", "4", "--width", "8"];
      const seed = more.includes("--seed") ? [] : ["--seed", "7"];
      return [
        "train",
        "--data",
        "data",
        "--out",
        out,
        "--epochs",
        String(epochs),
        ...small,
        ...seed,
        ...more,
      ];
    },
    /**
     * All files of a run with a hash of their content, except those that depend on the time: earlier checkpoints,
     * report and provenance.
     */
    contentOf: async (run: string): Promise<Record<string, string>> => {
      const paths = tree(join(cwd, run)).filter(
        (path) =>
          statSync(join(cwd, run, path)).isFile() &&
          !path.startsWith("checkpoint-before-") &&
          !["report.html", "provenance.json"].includes(path),
      );
      const hash = (path: string) =>
        createHash("sha256")
          .update(readFileSync(join(cwd, run, path)))
          .digest("hex");
      return Object.fromEntries(paths.map((path) => [path, hash(path)]));
    },
    remove: () => rm(cwd, { recursive: true, force: true }),
  };
}
