import type { GeneratorFile } from "../../src/export/description.js";

/** Code that draws one picture with a generator, for Node and for a page. */
export function snippetsOf({ latent, classes }: GeneratorFile, file: string): { node: string; page: string } {
  const feeds = classes === undefined ? "{ z }" : "{ z, label }";
  const label =
    classes === undefined
      ? []
      : [`const label = new Tensor("int64", BigInt64Array.of(3n), [1]); // one of ${classes} classes`];
  const body = [
    `const session = await InferenceSession.create("${file}");`,
    "const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());",
    `const z = new Tensor("float32", Float32Array.from({ length: ${latent} }, normal), [1, ${latent}]);`,
    ...label,
    `const { image } = await session.run(${feeds}); // image.data, image.dims`,
  ];
  const node = [`import { InferenceSession, Tensor } from "onnxruntime-node";`, "", ...body].join("\n");
  const page = [
    `<!-- gan-onnx-sheet.js and assets/ of this page; with a bundler: import "gan-onnx/web/sheet". -->`,
    `<script type="module" src="gan-onnx-sheet.js"></script>`,
    `<gan-onnx-sheet src="${file}" seed="3" count="16"></gan-onnx-sheet>`,
  ].join("\n");
  return { node, page };
}
