import { defineConfig } from "vitest/config";
import { tellStuck } from "./test/helpers/tell-stuck.js";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Most tests wait for a process or a browser, so two files at a time fit on two cores.
    maxWorkers: 2,
    reporters: ["default", tellStuck()],
    globalSetup: "test/helpers/tell-missing.ts",
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A poll waits for a page or a process at work; the default of 1 s is too short for a busy machine.
    expect: { poll: { timeout: 30_000 } },
  },
});
