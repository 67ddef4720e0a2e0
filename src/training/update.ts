import { add, gradients, mul, sum, type Value, zerosLike } from "../graph/index.js";
import { type Piece, piecesOf } from "../networks/index.js";
import { type Design, type Phase, updatedBy } from "../recipes/index.js";
import { parametersState, pieceState, slotState } from "./names.js";

type Values = Readonly<Record<string, Value>>;

/** The parameters and slots of a phase's networks after its update, and gradients that nobody uses, if wanted. */
export function updated(
  design: Design,
  phase: Phase,
  { loss, factor, state }: { loss: Value; factor: Value | 1; state: Values },
): { next: Values; discarded: readonly Value[] } {
  const learned = (network: string) => piecesOf(design.networks[network]).filter(({ frozen }) => !frozen);
  const learning = updatedBy(phase).map((network) => ({ network, pieces: learned(network) }));
  const discarded = (phase.undetached ?? []).map((network) => ({ network, pieces: learned(network) }));
  // The other networks count as they are: how their own updates came about is not differentiated.
  const wanted = [...learning, ...discarded].flatMap(({ network, pieces }) =>
    pieces.map((piece) => state[pieceState(parametersState(network), piece.name)]),
  );
  // A bias before a normalisation shows in no loss, and is large enough for a piece of its own where images are.
  if (wanted.length === 0) return { next: {}, discarded: [] };
  const derivatives = gradients(loss, wanted, { fixed: Object.values(state), unused: zerosLike });
  const { optimizer } = phase.optimization ?? design;
  let from = 0;
  const next = learning.map(({ network, pieces }) => {
    const [first, end] = [from, from + pieces.length];
    from = end;
    const surroundings = { factor, gradients: derivatives.slice(first, end) };
    const entries = pieces.map((piece, i) => {
      const names = slotNames(design, phase, network, piece);
      const slots = Object.fromEntries(names.map(([slot, name]) => [slot, state[name]]));
      const parameters = wanted[first + i];
      const result = optimizer.update(derivatives[first + i], { parameters, slots }, surroundings);
      return [
        [pieceState(parametersState(network), piece.name), result.parameters],
        ...names.map(([slot, name]) => [name, result.slots[slot]]),
      ];
    });
    // What is one number for all pieces is the first one's; the others' are its twins, and written nowhere.
    return entries.toReversed().flat();
  });
  return { next: Object.fromEntries(next.flat()), discarded: derivatives.slice(from) };
}

/** The optimizer's slots for a piece and the loop's states that hold them; what is one number serves all pieces. */
function slotNames(
  design: Design,
  { optimization }: Phase,
  network: string,
  piece: Piece,
): (readonly [string, string])[] {
  const { optimizer } = optimization ?? design;
  return Object.entries(optimizer.slots(1)).map(([slot, shape]) => {
    const name = slotState(network, slot, optimization?.name);
    return [slot, shape.length > 0 ? pieceState(name, piece.name) : name];
  });
}

/** Nodes that no output reaches are dropped, so gradients to be thrown away enter a metric, as 0 times their sum. */
export function withDiscarded(metrics: Values, discarded: readonly Value[]): Values {
  const [name] = Object.keys(metrics);
  const kept = discarded.reduce((metric, g) => add(metric, mul(sum(g), 0)), metrics[name]);
  return { ...metrics, [name]: kept };
}
