import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { exportNetwork } from "../src/index.js";
import type { RecipeName } from "../src/recipes/index.js";
import { opensOn } from "../src/runtime/session.node.js";
import { ourSteps } from "./gan-onnx.js";
import { pytorch, requirePython } from "./pytorch.js";
import { stepCase, writeCase } from "./step-case.js";
import type { BenchContext, Planned } from "./steps.js";

/** Training steps of networks from ONNX files. */
export function ownNetworkComparisons(place: BenchContext): Planned[] {
  return [
    fromFile("classifier", "classifier", place),
    fromFile("vanilla", "generator", place),
    residual(place),
  ];
}

/** A recipe's own network, exported and read again, beside the same network as it is written in TypeScript. */
function fromFile(recipe: RecipeName, network: string, { options }: BenchContext): Planned {
  const what = `step ${recipe}, its ${network} from a file`;
  return {
    what,
    async prepare() {
      const { ep, threads, quick } = options;
      const place = { ep, ...(ep === "cpu" && { threads }) };
      const written = stepCase({ recipe }, { quick });
      const position = { recipe, seed: 0, epoch: 0, step: 0, images: 1, ...written.design.image };
      const bytes = await exportNetwork(
        written.design,
        { position, state: written.state },
        "drawn",
        opensOn({ ep: "cpu" }),
      );
      const files = new Map([[network, { path: `${network}.onnx`, bytes }]]);
      return {
        what,
        unit: "ms",
        ours: ourSteps(stepCase({ recipe }, { quick, files }), place),
        others: [ourSteps(written, place, `gan-onnx, the ${network} in TypeScript`)],
      };
    },
  };
}

/** A small ResNet that PyTorch exports, trained here and by PyTorch. */
function residual({ folder, options }: BenchContext): Planned {
  const what = "step classifier, a ResNet of PyTorch";
  return {
    what,
    async prepare() {
      const { ep, threads, quick } = options;
      const path = join(folder, "resnet.onnx");
      const script = fileURLToPath(new URL("pytorch/resnet.py", import.meta.url));
      await promisify(execFile)(requirePython(options), [script, path]);
      const files = new Map([["classifier", { path, bytes: new Uint8Array(await readFile(path)) }]]);
      const work = stepCase(
        { recipe: "classifier", ema: 0, network: { classifier: path } },
        { quick, files },
      );
      const casePath = join(folder, "resnet.safetensors");
      await writeCase(casePath, work, work.feeds);
      return {
        what,
        unit: "ms",
        ours: ourSteps(work, { ep, ...(ep === "cpu" && { threads }) }),
        others: [pytorch("eager", casePath, `step ${work.steps}`, options)],
      };
    },
  };
}
