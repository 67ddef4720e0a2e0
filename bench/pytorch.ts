import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startChild } from "./child.js";
import type { Entrant, Round } from "./contestant.js";
import type { Options } from "./options.js";

const script = (name: string) => fileURLToPath(new URL(`pytorch/${name}.py`, import.meta.url));

const hello = z.object({ version: z.string() });
const answer = z.object({ ms: z.number(), metrics: z.record(z.string(), z.array(z.number())) });

/** How PyTorch runs its steps, see `pytorch/training.py`, by device. */
export const pytorchModes = {
  cpu: ["eager", "wanted", "compiled"],
  cuda: ["eager", "wanted", "compiled", "graph"],
  webgpu: [],
} as const;

type Mode = (typeof pytorchModes)["cuda"][number];

const described: Readonly<Record<Mode, string>> = {
  eager: "eager",
  wanted: "eager, wanted gradients only",
  compiled: "torch.compile, fused Adam",
  graph: "CUDA graph, fused Adam",
};

/** The Python to compare with. Throws when there is none, or it has no supported device. */
export function requirePython({ python, ep }: Options): string {
  if (!python) throw new Error("no --python");
  if (ep === "webgpu") throw new Error("PyTorch has no WebGPU");
  return python;
}

/** The arguments of a script that works on a case, on the device in the options. */
export function pythonArguments(name: string, casePath: string, { ep, threads }: Options, mode?: Mode) {
  const device = ep === "cuda" ? "cuda" : "cpu";
  return [script(name), casePath, ...(mode ? [mode] : []), device, String(threads)];
}

/** PyTorch on the case in a file. It receives `steps 64` or `sample 100` in every round. */
export function pytorch(mode: Mode, casePath: string, command: string, options: Options): Entrant {
  const name = `PyTorch ${described[mode]}`;
  return {
    name,
    async open() {
      if (!options.python) throw new Error("no --python");
      const child = await startChild(options.python, pythonArguments("contestant", casePath, options, mode));
      return {
        name: `PyTorch ${hello.parse(child.hello).version} ${described[mode]}`,
        async round(): Promise<Round> {
          const { ms, metrics } = answer.parse(await child.ask(command));
          return { cost: ms, metrics };
        },
        close: () => child.close(),
      };
    },
  };
}
