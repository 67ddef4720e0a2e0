import { operators } from "../src/onnx/operators/index.js";
import type { Outcome } from "../test/helpers/conformance.js";

/** The opset that introduced an operator, if it is newer than 7, the oldest supported one. */
const since: Readonly<Record<string, number>> = {
  Acosh: 9,
  Asinh: 9,
  Atanh: 9,
  Attention: 23,
  CastLike: 15,
  Celu: 12,
  ConstantOfShape: 9,
  Cosh: 9,
  CumSum: 11,
  Einsum: 12,
  Erf: 9,
  Expand: 8,
  EyeLike: 9,
  GatherElements: 11,
  GatherND: 11,
  Gelu: 20,
  GreaterOrEqual: 12,
  GroupNormalization: 18,
  HardSwish: 14,
  IsInf: 10,
  IsNaN: 9,
  LayerNormalization: 17,
  LessOrEqual: 12,
  MeanVarianceNormalization: 9,
  Mish: 18,
  Mod: 10,
  NegativeLogLikelihoodLoss: 12,
  NonZero: 9,
  OneHot: 9,
  RMSNormalization: 23,
  Range: 11,
  Resize: 10,
  Round: 11,
  Scatter: 9,
  ScatterElements: 11,
  ScatterND: 11,
  Shrink: 9,
  Sign: 9,
  Sinh: 9,
  SoftmaxCrossEntropyLoss: 12,
  Swish: 24,
  ThresholdedRelu: 10,
  Trilu: 14,
  Where: 9,
  ...{
    ConcatFromSequence: 11,
    SequenceAt: 11,
    SequenceConstruct: 11,
    SequenceLength: 11,
    SplitToSequence: 11,
  },
};

/** The last opset that contains an operator, if it was removed. */
const until: Readonly<Record<string, number>> = { Upsample: 9, Scatter: 10 };

/** Operators on integers, comparisons, positions and truth values, and piecewise constant operators. */
export const withoutGradient: readonly string[] = [
  ...[
    "And",
    "ArgMax",
    "ArgMin",
    "Ceil",
    "Constant",
    "ConstantOfShape",
    "Equal",
    "EyeLike",
    "Floor",
    "Greater",
  ],
  ...["GreaterOrEqual", "Hardmax", "IsInf", "IsNaN", "Less", "LessOrEqual", "NonZero", "Not", "Or", "Range"],
  ...["Round", "SequenceLength", "Shape", "Sign", "Size", "Xor"],
];

/** The text about an operator's gradient. */
function gradientOf(operator: string): string {
  if (withoutGradient.includes(operator)) return "none";
  return operator === "ReduceProd" ? "not supported" : "any order";
}

/** docs/operators.md: the supported operators, and the results of ONNX's backend tests. */
export function operatorsPage(
  outcomes: readonly Outcome[],
  total: string,
  reasons: readonly (readonly [why: string, count: number])[],
): string {
  const passed = outcomes.flatMap((outcome) => (outcome.kind === "passed" ? [outcome] : []));
  const rows = Object.keys(operators)
    .sort()
    .map((name) => {
      const cases = passed.filter((outcome) => outcome.operators.includes(name));
      const checked = cases.filter(({ gradient }) => gradient === "checked");
      const opsets = `${since[name] ?? 7} to ${until[name] ?? 26}`;
      return `| ${name} | ${opsets} | ${gradientOf(name)} | ${cases.length} | ${checked.length} |`;
    });
  return `# Supported operators

Written by \`npm run conformance -- FOLDER --docs\`; FOLDER is \`onnx/backend/test/data/node\` of the PyPI package \`onnx\`
(1.19.1). Written files contain only standard operators of opset 17. The CPU provider of ONNX Runtime supports all of
them. \`gan-onnx doctor --graph FILE --ep webgpu\` lists the nodes of a file that run on the CPU instead of another
provider.

Gradients consist of the same operators, so they can be differentiated again: *any order*. *None* is for operators on
integers, comparisons and positions. The last two columns count cases of ONNX's backend tests that contain the operator:
those whose outputs equal the recorded ones, and those whose gradients agree with finite differences. If axes, shapes or
scales are inputs of a case, they are replaced by constants.

${total}.

| operator | opsets | gradient | cases passed | gradients checked |
|---|---|---|---|---|
${rows.join("\n")}

## Unsupported features, and the number of cases

| cases | why |
|---|---|
${reasons.map(([why, count]) => `| ${count} | ${why.replaceAll("|", "\\|")} |`).join("\n")}
`;
}
