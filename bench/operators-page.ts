import { operators } from "../src/onnx/operators/index.js";
import type { ProviderName } from "../src/runtime/providers.js";
import { type Outcome, summaryOf } from "../test/helpers/conformance.js";
import type { ProviderOutcome } from "../test/helpers/conformance-on.js";

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

/** What a provider made of the cases that consist of one operator, by operator; a text if it was not run. */
export type Sweeps = ReadonlyMap<ProviderName, ReadonlyMap<string, readonly ProviderOutcome[]> | string>;

/** What a provider does with an operator and its gradient. */
function cellOf(outcomes: readonly ProviderOutcome[] | undefined): string {
  if (!outcomes) return "no case";
  const passed = outcomes.filter(({ why }) => why === undefined).length;
  const onCpu = [...new Set(outcomes.flatMap((each) => each.onCpu))].sort();
  const share = passed === outcomes.length ? "yes" : `${passed} of ${outcomes.length}`;
  return onCpu.length === 0 ? share : `${share}; CPU: ${onCpu.join(", ")}`;
}

/** docs/operators.md: the supported operators, and the results of ONNX's backend tests. */
export function operatorsPage(
  outcomes: readonly Outcome[],
  reasons: readonly (readonly [why: string, count: number])[],
  sweeps: Sweeps,
): string {
  const passed = outcomes.flatMap((outcome) => (outcome.kind === "passed" ? [outcome] : []));
  const [ran, notRun] = [
    new Map<ProviderName, ReadonlyMap<string, readonly ProviderOutcome[]>>(),
    [] as string[],
  ];
  for (const [ep, found] of sweeps) {
    if (typeof found === "string") notRun.push(ep);
    else ran.set(ep, found);
  }
  const rows = Object.keys(operators)
    .sort()
    .map((name) => {
      const cases = passed.filter((outcome) => outcome.operators.includes(name));
      const checked = cases.filter(({ gradient }) => gradient === "checked");
      const opsets = `${since[name] ?? 7} to ${until[name] ?? 26}`;
      const cells = [gradientOf(name), cases.length, checked.length];
      const others = [...ran.values()].map((found) => cellOf(found.get(name)));
      return `| ${[name, opsets, ...cells, ...others].join(" | ")} |`;
    });
  const titles = ["operator", "opsets", "gradient", "cases passed", "gradients checked", ...ran.keys()];
  return `# Supported operators

Written by \`npm run conformance -- WHEEL --docs\`; WHEEL is the PyPI package \`onnx\` 1.19.1, a .whl file. Written files
contain only standard operators of opset 17.

Gradients consist of the same operators, so they can be differentiated again: *any order*. *None* is for operators on
integers, comparisons and positions. The columns *cases passed* and *gradients checked* count cases of ONNX's backend
tests that contain the operator, on the CPU: those whose outputs equal the recorded ones, and those whose first and
second gradients agree with finite differences. If axes, shapes or scales are inputs of a case, they are replaced by
constants.

${[...ran.keys()].map(columnText).join("")}${notRun.map(notRunText).join("")}${summaryOf(outcomes)}.

| ${titles.join(" | ")} |
|${"---|".repeat(titles.length)}
${rows.join("\n")}

## Unsupported features, and the number of cases

| cases | why |
|---|---|
${reasons.map(([why, count]) => `| ${count} | ${why.replaceAll("|", "\\|")} |`).join("\n")}
`;
}

const columnText = (
  ep: ProviderName,
) => `The column *${ep}* is about the cases that consist of this operator alone and
have float32 numbers: outputs and gradients were computed on ${ep} and compared with the CPU's. *Yes* means that all
agree. After *CPU:* come the operators in the written graph that ran on the CPU instead, because ONNX Runtime has no
kernel for them on ${ep}; nodes on integers and truth values alone are not listed.${
  process.env.VK_DRIVER_FILES?.includes("swiftshader") && ep === "webgpu"
    ? " The GPU was SwiftShader, Vulkan in software."
    : ""
}

`;

const notRunText = (ep: string) =>
  `The cases were not run on ${ep}: the machine that wrote this page has none. \`npm run conformance -- WHEEL --ep ${ep}\`
runs them.

`;
