import { executablePath } from "./chromium.js";
import { linesOfMissing } from "./missing.js";
import { checkerMissing } from "./onnx-checker.js";
import { hasSoftwareVulkan } from "./providers.js";

/** Vitest's global setup: print the missing tools once, after the results. */
export function teardown(): void {
  const lines = linesOfMissing({
    chromium: executablePath !== undefined,
    onnxChecker: checkerMissing === undefined,
    softwareVulkan: hasSoftwareVulkan,
  });
  if (lines.length > 0) process.stderr.write(`\n${lines.map((line) => `skipped: ${line}\n`).join("")}\n`);
}
