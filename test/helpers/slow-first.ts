import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take over 20 s, the slowest first: each would leave a core idle if it began last. */
const slow = [
  "web-demo/training",
  "web-demo/page",
  "runtime/provider-contract",
  "commands/recipes",
  "commands/bad-input",
  "commands/resume",
  "commands/build-graphs",
  "web-demo/run",
  "commands/ort-training",
  "onnx/conformance",
  "commands/sweep",
  "web-demo/webgpu",
  "package",
  "commands/data",
  "commands/export",
  "commands/check",
  "commands/help",
  "web-demo/robust",
  "commands/networks",
  "onnx/forward",
  "commands/resume-stages",
  "commands/train",
  "web-demo/own-networks",
].map((name) => `/test/${name}.test.ts`);

/** A sequencer of Vitest that begins the slow files first, and the others as Vitest does. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = slow.findIndex((name) => moduleId.endsWith(name));
      return place < 0 ? slow.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
