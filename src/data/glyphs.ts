/** Glyphs of 3x5 pixels. Each row is three bits; a glyph is written as five octal digits. */
const glyphs: Readonly<Record<string, string>> = {
  "0": "75557",
  "1": "26227",
  "2": "71747",
  "3": "71717",
  "4": "55711",
  "5": "74717",
  "6": "74757",
  "7": "71222",
  "8": "75757",
  "9": "75717",
  A: "25755",
  B: "65656",
  C: "34443",
  D: "65556",
  E: "74647",
  F: "74644",
  G: "34553",
  H: "55755",
  I: "72227",
  J: "11152",
  K: "55655",
  L: "44447",
  M: "57755",
  N: "65555",
  O: "25552",
  P: "65644",
  Q: "25563",
  R: "65655",
  S: "34216",
  T: "72222",
  U: "55557",
  V: "55522",
  W: "55775",
  X: "55255",
  Y: "55222",
  Z: "71247",
  "-": "00700",
  "+": "02720",
  ".": "00002",
  "/": "11244",
  _: "00007",
  "?": "71202",
  " ": "00000",
};

const [WIDTH, HEIGHT, GAP] = [3, 5, 1];

/** The height of a line of text, in pixels of the glyphs. */
export const TEXT_HEIGHT = HEIGHT;

/** The width of a text, in pixels of the glyphs. */
export function textWidth(text: string): number {
  return Math.max(0, Array.from(text).length * (WIDTH + GAP) - GAP);
}

/**
 * Draw a text of digits, letters (as capitals) and a few signs. Other characters become question marks.
 *
 * @param dot draws the pixel in column `x` of row `y`, from the upper left corner of the text.
 */
export function drawText(text: string, dot: (x: number, y: number) => void): void {
  for (const [position, character] of Array.from(text.toUpperCase()).entries()) {
    const rows = glyphs[character] ?? glyphs["?"];
    for (const [y, row] of Array.from(rows, Number).entries()) {
      for (let x = 0; x < WIDTH; x++) {
        if ((row >> (WIDTH - 1 - x)) & 1) dot(position * (WIDTH + GAP) + x, y);
      }
    }
  }
}
