import { defineConfig } from "vitest/config";
import { SlowFirst } from "./test/helpers/slow-first.js";
import { tellStuck } from "./test/helpers/tell-stuck.js";

/** ONNX Runtime looks for a GPU's driver once in a process. Tests of hostile files measure the memory of theirs. */
const own = [
  ...["test/runtime/**/*.test.ts", "test/onnx/forward.test.ts"],
  ...["test/**/fuzz*.test.ts", "test/data/parquet-hostile.test.ts"],
];

/** What holds for every file. */
const each = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  // A poll waits for a page or a process at work; the default of 1 s is too short for a busy machine.
  expect: { poll: { timeout: 30_000 } },
};

export default defineConfig({
  test: {
    // Most tests wait for a process or a browser, so two files at a time fit on two cores.
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    reporters: ["default", tellStuck()],
    globalSetup: "test/helpers/tell-missing.ts",
    projects: [
      // A process for each file would load the same modules 170 times. What a file changes in its process
      // (environment, mocks), it changes back.
      {
        test: { ...each, name: "shared", include: ["test/**/*.test.ts"], exclude: own, isolate: false },
      },
      { test: { ...each, name: "own process", include: own } },
    ],
  },
});
