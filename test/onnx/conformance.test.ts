import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Outcome, summaryOf, tryCase } from "../helpers/conformance.js";
import { casesIn, nodeTests } from "../helpers/onnx-cases.js";

// `.ci/run` downloads the PyPI package `onnx`, and names its wheel in this variable.
const wheel = process.env.GAN_ONNX_TEST_ONNX ?? "";
const missing = !existsSync(wheel);
const why = missing ? " (skipped: GAN_ONNX_TEST_ONNX names no wheel of the PyPI package onnx)" : "";
const page = readFileSync(new URL("../../docs/operators.md", import.meta.url), "utf8");

test.skipIf(missing)(
  `ONNX's backend node tests: as many pass as docs/operators.md says, none fails${why}`,
  async () => {
    const tests = await nodeTests(wheel);
    try {
      const outcomes = new Map<string, Outcome>();
      for (const name of casesIn(tests.folder)) outcomes.set(name, await tryCase(tests.folder, name));
      expect([...outcomes].filter(([, { kind }]) => kind === "failed")).toEqual([]);
      const counts = (text: string) =>
        /(\d+) cases: (\d+) passed .* (\d+) not supported/.exec(text)?.slice(1);
      expect(counts(summaryOf([...outcomes.values()]))).toEqual(counts(page));
    } finally {
      await tests.remove();
    }
  },
  900_000,
);
