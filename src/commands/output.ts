/** Print a result, for the next program in a pipe. */
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

/** Show a status line that the next one replaces. Only on a terminal. */
export function showStatus(text: string): void {
  if (!process.stderr.isTTY) return;
  clearStatus();
  status = text.slice(0, (process.stderr.columns ?? 80) - 1);
  drawStatus();
}

/** Remove the status line. */
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

/** A share in [0, 1] as a bar: `[=====>    ]`. */
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

/** Show progress as a status line, on a terminal only. */
export function reportStatus(message: string, done?: number, total?: number): void {
  const share = done !== undefined && total ? ` ${bar(done / total)}` : "";
  showStatus(`${message}${share}`);
}
