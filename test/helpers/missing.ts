/** What some tests need beside npm's packages, and is not on every machine. */
interface Tools {
  readonly chromium: boolean;
  readonly onnxChecker: boolean;
  readonly softwareVulkan: boolean;
}

/** What is skipped for want of each, and how to get it. */
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

/** A line for each tool that is not there; none where all are. */
export function linesOfMissing(tools: Tools): string[] {
  return (Object.keys(about) as (keyof Tools)[])
    .filter((tool) => !tools[tool])
    .map((tool) => `${about[tool][0]}. On Debian and Ubuntu: ${about[tool][1]}`);
}
