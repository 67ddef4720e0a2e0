import { GanOnnxError } from "../../src/error.js";
import type { RecipeName } from "../../src/recipes/index.js";
import { type ReadManifest, readManifest } from "../../src/training/embedded.js";
import type { Plan } from "./plan.js";

/** A training graph that was dropped onto the page: `train.onnx`, and what its manifest says. */
export interface DroppedGraph extends Omit<ReadManifest, "train"> {
  readonly train: Uint8Array<ArrayBuffer>;
}

const isManifest = ({ name }: File) => /\.json$/i.test(name);

/** Whether files are a training graph: there is a manifest among them. */
export function holdGraph(files: readonly File[]): boolean {
  return files.some(isManifest);
}

/**
 * The training graph in files: `train.onnx` and the `manifest.json` that `gan-onnx build-graphs` wrote with it.
 *
 * @throws GanOnnxError naming the file that is missing or does not belong to the other.
 */
export async function graphIn(files: readonly File[]): Promise<DroppedGraph> {
  const [manifest, model] = [files.find(isManifest), files.find(({ name }) => /\.onnx$/i.test(name))];
  if (!manifest || !model) {
    const fix = "drop train.onnx and manifest.json together";
    throw new GanOnnxError({ what: "is one half of a training graph", where: files[0].name, fix });
  }
  const { train: expected, ...read } = readManifest(await manifest.text(), manifest.name);
  const train = new Uint8Array(await model.arrayBuffer());
  // Pages that are not secure cannot compute the digest.
  const digest = await crypto.subtle?.digest("SHA-256", train);
  const sha256 =
    digest && Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0")).join("");
  if (train.length !== expected.bytes || (sha256 !== undefined && sha256 !== expected.sha256)) {
    const what = `is not the file that ${manifest.name} describes`;
    throw new GanOnnxError({ what, where: model.name, fix: "drop the two files of one build-graphs" });
  }
  return { ...read, train };
}

/** The plan of a dropped graph, with what else the page asks for. */
export function planOfGraph(graph: DroppedGraph, asked: Plan): Plan {
  const { recipe, settings, seed } = graph;
  const { learningRate } = settings as { readonly learningRate?: number };
  return {
    ...asked,
    recipe: recipe as RecipeName,
    settings,
    seed,
    learningRate: learningRate ?? asked.learningRate,
    graph,
  };
}

/** What is said of a dropped graph: the networks and weights that came from files. */
export function aboutGraph({ networks, start }: DroppedGraph): string {
  const from = [...networks].map(([name, { path }]) => `${name} from ${path}`);
  return ["train.onnx", ...from, ...(start ? [`weights from ${start.file}`] : [])].join(", ");
}
