import { expect, test } from "vitest";
import { linesOfMissing } from "./helpers/missing.js";

test("what tests miss is said, with how to get it", () => {
  expect(linesOfMissing({ chromium: true, onnxChecker: true, softwareVulkan: true })).toEqual([]);
  const [page, checker, ...rest] = linesOfMissing({
    chromium: false,
    onnxChecker: false,
    softwareVulkan: true,
  });
  expect(page).toMatch(/^Chromium is not installed: all tests of the page .*: apt-get install chromium$/);
  expect(checker).toMatch(/^ONNX's checker is not .*: apt-get install python3-onnx$/);
  expect(rest).toEqual([]);
});
