import { add, div, minimum, mul, sub, type Value, withScope } from "../graph/index.js";
import { piecesOf } from "../networks/index.js";
import type { Design } from "../recipes/index.js";
import { averageState, parametersState, pieceState } from "./names.js";
import type { Clock } from "./windows.js";

type Values = Readonly<Record<string, Value>>;

/** The moving average after a step: a ← decay·a + (1 - decay)·p, with a decay of at most n / (n + 10) to warm up. */
export function averaged(
  { networks, exported, averageDecay, averageWarmUp }: Design,
  state: Values,
  clock: Clock | undefined,
): Values {
  if (averageDecay === undefined) return {};
  const [decay, news] =
    averageWarmUp && clock ? warmedUp(averageDecay, clock) : ([averageDecay, 1 - averageDecay] as const);
  const entries = piecesOf(networks[exported.network]).map((piece) => {
    const average = pieceState(averageState(exported.network), piece.name);
    const parameters = state[pieceState(parametersState(exported.network), piece.name)];
    return [average, add(mul(state[average], decay), mul(parameters, news))];
  });
  return Object.fromEntries(entries);
}

function warmedUp(most: number, { made }: Clock): readonly [Value, Value] {
  return withScope("average", () => {
    const decay = minimum(div(made, add(made, 10)), most);
    return [decay, sub(1, decay)];
  });
}
