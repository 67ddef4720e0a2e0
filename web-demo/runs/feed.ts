import type { News } from "../../src/serving/run-view.js";
import type { ListedRun } from "../../src/serving/runs-view.js";

/** A curve: values over steps or epochs, ascending. */
export interface Track {
  readonly x: number[];
  readonly y: number[];
}

/** More points than this become half as many means. */
const MOST = 4000;

/** Owns what is known of a run of several, and asks its server for more. */
export class RunFeed {
  readonly tracks = new Map<string, Track>();
  readonly scores = new Map<string, Track>();
  news: News | undefined;
  /** How many steps each point of the tracks stands for. */
  private stride = 1;
  private waiting = new Map<string, number[]>();
  private steps = 0;
  private asked = { file: "", from: 0, scored: 0 };

  constructor(readonly run: ListedRun) {}

  /** Ask what is new. Throws when there is no answer. */
  async update(): Promise<void> {
    for (let more = true; more; ) {
      const { file, from, scored } = this.asked;
      const query = new URLSearchParams({ file, from: String(from), scored: String(scored) });
      const response = await fetch(`runs/${encodeURIComponent(this.run.key)}/run.json?${query}`);
      if (!response.ok) throw new Error(`the server answers ${response.status}`);
      const news: News = await response.json();
      this.news = news;
      this.take(news);
      more = news.metrics?.more === true;
    }
  }

  private take({ metrics, scores }: News): void {
    if (!metrics || metrics.from === 0) {
      // The run was begun again, or resumed at an earlier step.
      this.tracks.clear();
      this.waiting.clear();
      [this.stride, this.steps] = [1, 0];
    }
    if (scores) {
      this.asked.scored = scores.changed;
      this.scores.clear();
      for (const { epoch, scores: values } of scores.lines) {
        for (const [name, value] of Object.entries(values))
          if (name !== "samples") push(this.scores, name, epoch, value);
      }
    }
    if (!metrics) return;
    this.asked = { ...this.asked, file: metrics.file, from: metrics.next };
    for (const text of metrics.text.split("\n")) this.takeLine(text);
  }

  private takeLine(text: string): void {
    let line: Record<string, unknown>;
    try {
      line = JSON.parse(text);
    } catch {
      // The last line of a process that was killed may be cut off.
      return;
    }
    this.steps++;
    for (const [name, value] of Object.entries(line)) {
      if (name === "epoch" || name === "iteration" || typeof value !== "number") continue;
      const values = this.waiting.get(name) ?? [];
      this.waiting.set(name, values);
      if (values.push(value) < this.stride) continue;
      push(this.tracks, name, this.steps, values.reduce((sum, value) => sum + value, 0) / values.length);
      values.length = 0;
    }
    if (![...this.tracks.values()].some(({ x }) => x.length > MOST)) return;
    this.stride *= 2;
    for (const [name, track] of this.tracks) this.tracks.set(name, halved(track));
  }
}

function push(tracks: Map<string, Track>, name: string, x: number, y: number): void {
  const track = tracks.get(name) ?? { x: [], y: [] };
  tracks.set(name, track);
  track.x.push(x);
  track.y.push(y);
}

function halved({ x, y }: Track): Track {
  const odd = (_: number, i: number) => i % 2 === 1;
  return { x: x.filter(odd), y: y.flatMap((value, i) => (i % 2 === 1 ? [(value + y[i - 1]) / 2] : [])) };
}

/**
 * An exponential moving average, its start corrected as Adam's moments are: `s ← βs + (1−β)y`, shown `s / (1 − βᵗ)`.
 *
 * @param beta from 0, the values themselves, to below 1.
 */
export function smoothedTrack({ x, y }: Track, beta: number): Track {
  let [mean, weight] = [0, 0];
  return {
    x,
    y: y.map((value) => {
      mean = beta * mean + (1 - beta) * value;
      weight = beta * weight + (1 - beta);
      return mean / weight;
    }),
  };
}
