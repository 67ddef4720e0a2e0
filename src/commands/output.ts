/** A result, for the next program in the pipe. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Rows of cells, the first one being the head, in columns. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  for (const row of rows)
    print(
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join("  ")
        .trimEnd(),
    );
}

/** A message, for the person who waits. */
export function say(text: string): void {
  clearStatus();
  process.stderr.write(`${text}\n`);
  drawStatus();
}

let status = "";

/** A line that is replaced by the next one; only on a terminal, elsewhere nothing. */
export function showStatus(text: string): void {
  if (!process.stderr.isTTY) return;
  clearStatus();
  status = text.slice(0, (process.stderr.columns ?? 80) - 1);
  drawStatus();
}

/** End the status line; what was last shown goes away. */
export function endStatus(): void {
  clearStatus();
  status = "";
}

function clearStatus(): void {
  if (status !== "") process.stderr.write("\r\x1b[2K");
}

function drawStatus(): void {
  if (status !== "") process.stderr.write(status);
}

/** `[=====>    ]`, a share in [0, 1] as a bar. */
export function bar(share: number, width = 20): string {
  const filled = Math.round(share * width);
  return `[${"=".repeat(filled)}${" ".repeat(width - filled)}]`;
}

/** `1:02:03` or `2:03`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${padded(m)}:${padded(s)}` : `${m}:${padded(s)}`;
}

/** Progress of something that is counted, for a status line on a terminal and nothing elsewhere. */
export function reportStatus(message: string, done?: number, total?: number): void {
  const share = done !== undefined && total ? ` ${bar(done / total)}` : "";
  showStatus(`${message}${share}`);
}
