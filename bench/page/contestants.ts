import { existsSync } from "node:fs";
import { basename } from "node:path";
import { CHECKED } from "../checked.js";
import type { Entrant } from "../contestant.js";
import { type Chromium, call } from "./chromium.js";

/** Where steps are made in a page. */
export interface PagePlace {
  readonly backend: "wasm" | "webgpu";
  readonly threads: number;
}

interface Rival {
  readonly name: string;
  /** The folder of its page. */
  readonly folder: string;
  /** What it needs, below `bench/node_modules/`. */
  readonly needs?: string;
  /** Cores that it must see to take so many threads. */
  cores(threads: number): number;
  /** Steps of a round. */
  readonly steps: number;
}

/** gan-onnx as the page trains: the same session, in a worker; its rounds make all steps of the case in one call. */
const ours: Rival = { name: "gan-onnx", folder: "ours", cores: (threads) => threads, steps: 0 };
/** The slowest by far, so it makes few steps a round. Half of the cores that it sees are threads. */
const tfjs: Rival = {
  name: "TensorFlow.js",
  folder: "tfjs",
  needs: "@tensorflow",
  cores: (threads) => 2 * threads,
  steps: CHECKED,
};
const jaxjs: Rival = {
  name: "jax-js",
  folder: "jaxjs",
  needs: "@jax-js",
  cores: (threads) => threads,
  steps: 12,
};
export const rivals = { ours, tfjs, jaxjs };

/** Someone who makes the steps of a case in a page of a Chromium that is shared. */
export function inPage(
  { name, folder, needs, cores, steps }: Rival,
  casePath: string,
  { backend, threads }: PagePlace,
  chromium: Chromium,
): Entrant {
  return {
    name: `${name} ${backend}`,
    async open() {
      if (needs && !existsSync(new URL(`../node_modules/${needs}`, import.meta.url))) {
        throw new Error("npm --prefix bench ci installs it");
      }
      const { page, close } = await chromium.open(`${folder}/page.html`, cores(threads));
      try {
        const url = `/${basename(casePath)}`;
        const { version, how } = await call<{ version: string; how: string }>(
          page,
          "open",
          url,
          backend,
          threads,
        );
        return {
          name: `${name} ${version} ${how}`,
          async round() {
            const made = await call<{ ms: number; metrics: Record<string, number[]> }>(page, "round", steps);
            return { cost: made.ms, metrics: made.metrics };
          },
          close,
        };
      } catch (error) {
        await close();
        throw error;
      }
    },
  };
}
