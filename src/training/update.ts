import { add, gradients, mul, sum, type Value, zerosLike } from "../graph/index.js";
import { type Piece, piecesOf } from "../networks/index.js";
import { type Design, type Phase, updatedBy } from "../recipes/index.js";
import { parametersState, pieceState, slotState } from "./names.js";

type Values = Readonly<Record<string, Value>>;

/** The updated parameters and slots of a phase's networks, and the gradients that are not used, if requested. */
export function updated(
  design: Design,
  phase: Phase,
  { loss, factor, state }: { loss: Value; factor: Value | 1; state: Values },
): { next: Values; discarded: readonly Value[] } {
  const learned = (network: string) => {
    const part = phase.parts?.[network];
    const isInPart = ({ parameters }: Piece) =>
      part === undefined || parameters.some(({ name }) => name.startsWith(`${part}.`));
    return piecesOf(design.networks[network]).filter((piece) => !piece.frozen && isInPart(piece));
  };
  const learning = updatedBy(phase).map((network) => ({ network, pieces: learned(network) }));
  const discarded = (phase.undetached ?? []).map((network) => ({ network, pieces: learned(network) }));
  // Treat the whole state as constant: updates by earlier phases are not differentiated.
  const sources = [...learning, ...discarded].flatMap(({ network, pieces }) =>
    pieces.map((piece) => state[pieceState(parametersState(network), piece.name)]),
  );
  // A bias before a normalization does not affect the loss. For large images it can be a piece of its own.
  if (sources.length === 0) return { next: {}, discarded: [] };
  const derivatives = gradients(loss, sources, { fixed: Object.values(state), unused: zerosLike });
  const { optimizer } = phase.optimization ?? design;
  let from = 0;
  const next = learning.map(({ network, pieces }) => {
    const [first, end] = [from, from + pieces.length];
    from = end;
    const surroundings = { factor, gradients: derivatives.slice(first, end) };
    const entries = pieces.map((piece, i) => {
      const names = slotNames(design, phase, network, piece);
      const slots = Object.fromEntries(names.map(([slot, name]) => [slot, state[name]]));
      const parameters = sources[first + i];
      const result = optimizer.update(derivatives[first + i], { parameters, slots }, surroundings);
      return [
        [pieceState(parametersState(network), piece.name), result.parameters],
        ...names.map(([slot, name]) => [name, result.slots[slot]]),
      ];
    });
    // A scalar slot is shared by all pieces: every piece computes the same value. Keep the value of the first piece.
    return entries.toReversed().flat();
  });
  return { next: Object.fromEntries(next.flat()), discarded: derivatives.slice(from) };
}

/** The optimizer's slots for a piece, and the loop's states for them. A scalar slot is shared by all pieces. */
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

/** Nodes that no output needs are dropped, so unused gradients are added to a metric, as 0 times their sum. */
export function withDiscarded(metrics: Values, discarded: readonly Value[]): Values {
  const [name] = Object.keys(metrics);
  const kept = discarded.reduce((metric, g) => add(metric, mul(sum(g), 0)), metrics[name]);
  return { ...metrics, [name]: kept };
}
