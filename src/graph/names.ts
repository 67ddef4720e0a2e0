import type { Value } from "./value.js";

/** Owns the names of a model. ONNX requires unique names across all its graphs. */
export class Names {
  private readonly counts = new Map<string, number>();
  private readonly reserved = new Map<Value, string>();

  constructor(private readonly taken: Set<string>) {}

  /** Reserve a name for a value, e.g. a weight, if the name is free. Other values get a different name. */
  reserve(value: Value, name: string): void {
    if (this.taken.has(name)) return;
    this.taken.add(name);
    this.reserved.set(value, name);
  }

  unique(proposed: string, value?: Value): string {
    const own = value && this.reserved.get(value);
    if (own !== undefined) return own;
    for (let count = (this.counts.get(proposed) ?? 0) + 1; ; count++) {
      const name = count === 1 ? proposed : `${proposed}_${count}`;
      if (this.taken.has(name)) continue;
      this.counts.set(proposed, count);
      this.taken.add(name);
      return name;
    }
  }
}
