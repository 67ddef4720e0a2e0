/**
 * The name that the user probably meant: the word is its initials (`lr` for `learning-rate`), its beginning (`epoch`),
 * or a misspelling (`trian`). Undefined when no name is close.
 */
export function suggestion(word: string, names: readonly string[]): string | undefined {
  const initials = (name: string) =>
    name
      .split("-")
      .map(([first]) => first)
      .join("");
  const abbreviated = names.find((name) => word.length > 1 && initials(name) === word);
  const prefixed = names.find((name) => word.length > 2 && name.startsWith(word));
  if (abbreviated ?? prefixed) return abbreviated ?? prefixed;
  const [nearest] = names
    .map((name) => ({ name, distance: distance(word, name) }))
    .sort((a, b) => a.distance - b.distance);
  return nearest && nearest.distance <= Math.max(1, Math.floor(word.length / 3)) ? nearest.name : undefined;
}

/**
 * The number of insertions, deletions, replacements and swaps of adjacent letters between two words (optimal string
 * alignment).
 */
function distance(a: string, b: string): number {
  const rows: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      if (i === 0) {
        rows[0].push(j);
        continue;
      }
      const replaced = rows[i - 1][j - 1] + Number(a[i - 1] !== b[j - 1]);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2][j - 2] + 1 : Infinity;
      rows[i].push(Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, replaced, swapped));
    }
  }
  return rows[a.length][b.length];
}
