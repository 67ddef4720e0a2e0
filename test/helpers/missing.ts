/** Tools that some tests need in addition to npm packages, and that may be missing. */
interface Tools {
  readonly chromium: boolean;
  readonly onnxChecker: boolean;
  readonly softwareVulkan: boolean;
}

/** The tests that are skipped without each tool, and how to install it. */
const about: Readonly<Record<keyof Tools, readonly [what: string, install: string]>> = {
  chromium: ["Chromium is not installed: all tests of the page are skipped", "apt-get install chromium"],
  onnxChecker: [
    "ONNX's checker is not installed: the tests that ask it are skipped",
    "apt-get install python3-onnx",
  ],
  softwareVulkan: [
    "there is no Vulkan driver in software: the tests of WebGPU are skipped, or use this machine's GPU",
    "apt-get install chromium libvulkan1 (which has one)",
  ],
};

/** A line for each missing tool. */
export function linesOfMissing(tools: Tools): string[] {
  return (Object.keys(about) as (keyof Tools)[])
    .filter((tool) => !tools[tool])
    .map((tool) => `${about[tool][0]}. On Debian and Ubuntu: ${about[tool][1]}`);
}
