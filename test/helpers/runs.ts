import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Finished, type Running, startCli, tree } from "./cli.js";
import { writeIdxFolder } from "./dataset.js";

/** A folder in which `gan-onnx` trains: 451 small images in `data`, so an epoch has 226 steps with batches of 2. */
export async function trainingPlace() {
  const cwd = await mkdtemp(join(tmpdir(), "gan-onnx-runs-"));
  await writeIdxFolder(join(cwd, "data"), { count: 451, size: 8 });
  const train = (out: string, epochs: number, more: readonly string[] = []): string[] => {
    const small = ["--batch-size", "2", "--latent", "4", "--width", "8"];
    const seed = more.includes("--seed") ? [] : ["--seed", "7"];
    const epochsOf = ["--epochs", String(epochs)];
    return ["train", "--data", "data", "--out", out, ...epochsOf, ...small, ...seed, ...more];
  };
  const resume = (out: string, ...more: string[]): string[] => ["train", "--resume", "--out", out, ...more];
  const checkpoint = (out: string) => join(cwd, out, "checkpoint.safetensors");
  return {
    cwd,
    /** The arguments of a new run in the folder `out`. */
    train,
    /** The arguments that resume it. */
    resume,
    /** Whether it has something to resume. */
    isSaved: (out: string): boolean => existsSync(checkpoint(out)),
    /** The arguments that resume a run that was killed, or begin it again if it had saved nothing. */
    again: async (out: string, epochs: number, more: readonly string[] = []): Promise<string[]> => {
      if (existsSync(checkpoint(out))) return resume(out);
      await rm(join(cwd, out), { recursive: true, force: true });
      return train(out, epochs, more);
    },
    /** Start a process, and end it by a signal once something holds. The process may be over before. */
    killed: async (
      args: readonly string[],
      when: (running: Running) => Promise<unknown>,
      signal: NodeJS.Signals = "SIGKILL",
    ): Promise<Finished> => {
      const running = startCli(args, { cwd });
      await Promise.race([when(running), running.finished]);
      running.kill(signal);
      return running.finished;
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
