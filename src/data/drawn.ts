import { type Random, randomStream, shuffled } from "../tensors/random.js";
import { digitShapes, type Shape, type Stroke } from "./drawn-shapes.js";

// Handwritten digits without a download, in the form of MNIST: white on black, 28x28, the digit fitted into about 20x20
// pixels and centred by its mass. This file also runs in a browser: it imports nothing from Node.

const side = 28;

/** The number of straight pieces that approximate the curve between two points of a shape. */
const piecesPerSpan = 4;

/** A straight piece of a stroke from `(x0, y0)` to `(x1, y1)`, with the pen's radius at both ends. */
interface Piece {
  x0: number;
  y0: number;
  r0: number;
  x1: number;
  y1: number;
  r1: number;
}

/**
 * Draw images `first` to `first + count - 1` of the infinite series of digits of a seed.
 *
 * Every ten images from a multiple of ten on are the ten digits in random order. An image depends only on the seed and
 * its position in the series.
 *
 * @returns `images`, `[count, 28, 28]` from 0 (background) to 255 (pen), and `labels`, `[count]`, the digits.
 */
export function drawDigits({ count, seed, first = 0 }: { count: number; seed: number; first?: number }): {
  images: Uint8Array;
  labels: Uint8Array;
} {
  const images = new Uint8Array(count * side * side);
  const labels = new Uint8Array(count);
  let digits: ArrayLike<number> = [];
  for (let image = 0; image < count; image++) {
    const place = first + image;
    if (image === 0 || place % 10 === 0) {
      digits = shuffled(randomStream(seed, "drawn order", Math.floor(place / 10)), 10);
    }
    labels[image] = digits[place % 10];
    const pixels = images.subarray(image * side * side, (image + 1) * side * side);
    drawDigit(labels[image], randomStream(seed, "drawn digit", place), pixels);
  }
  return { images, labels };
}

function drawDigit(digit: number, random: Random, pixels: Uint8Array): void {
  const hand = handOf(random);
  const { strokes } = pick(digitShapes[digit], random);
  const pieces = strokes.flatMap((stroke) => piecesOf(stroke, hand, random));
  fitToImage(pieces, hand, random);
  ink(pieces, hand.softness, pixels);
}

function pick(shapes: readonly Shape[], random: Random): Shape {
  let left = random.uniform() * shapes.reduce((sum, { weight }) => sum + weight, 0);
  for (const shape of shapes) {
    left -= shape.weight;
    if (left < 0) return shape;
  }
  return shapes[0];
}

/** How one person writes one digit. */
interface Hand {
  /** From the shape's box to the page: slant, rotation and proportions in one 2x2 matrix, by rows. */
  readonly matrix: readonly [number, number, number, number];
  /** A slow wave that bends the whole digit: amplitude in percent of the box, phases in radians. */
  readonly bend: { readonly amplitude: number; readonly xPhase: number; readonly yPhase: number };
  /** Standard deviation of the displacement of each point, in percent of the box. */
  readonly tremble: number;
  /** The pen's radius in pixels. */
  readonly radius: number;
  /** Width of the edge between pen and background, in pixels. */
  readonly softness: number;
  /** The longer side of the finished digit, in pixels. */
  readonly extent: number;
}

function handOf(random: Random): Hand {
  const angle = 0.1 * random.normal();
  const slant = clamp(0.2 + 0.22 * random.normal(), -0.4, 0.8);
  const wide = 0.9 * Math.exp(0.16 * random.normal());
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  // Rotation times shear times width: x moves right as y goes up.
  return {
    matrix: [cos * wide, -cos * slant - sin, sin * wide, -sin * slant + cos],
    bend: {
      amplitude: 4.5 * random.normal(),
      xPhase: 2 * Math.PI * random.uniform(),
      yPhase: 2 * Math.PI * random.uniform(),
    },
    tremble: 1.5 + 3 * random.uniform(),
    radius: clamp(1.28 * Math.exp(0.3 * random.normal()), 0.65, 2.1),
    softness: 1 + 0.6 * random.uniform(),
    extent: 18.5 + 1.8 * random.uniform(),
  };
}

/** A stroke on the page, in arbitrary units. Radii are relative to the hand's radius. */
function piecesOf(stroke: Stroke, hand: Hand, random: Random): Piece[] {
  const points = stroke.map(({ x, y }) => ({
    x: x - 50 + hand.tremble * random.normal(),
    y: y - 50 + hand.tremble * random.normal(),
  }));
  const start = 1 + 0.12 * random.normal();
  const end = 1 - 0.18 * Math.abs(random.normal());
  const swell = 0.1 * random.normal();
  const spans = points.length - 1;
  const pressure = (along: number) => start + (end - start) * along + swell * Math.sin(2 * Math.PI * along);

  const pieces: Piece[] = [];
  let last: ReturnType<typeof onPage> | undefined;
  for (let span = 0; span < spans; span++) {
    const [from, to] = [points[span], points[span + 1]];
    // At its start and at corners, a curve does not depend on points beyond.
    const before = span === 0 || stroke[span].corner ? from : points[span - 1];
    const after = span + 1 === spans || stroke[span + 1].corner ? to : points[span + 2];
    for (let piece = span === 0 ? 0 : 1; piece <= piecesPerSpan; piece++) {
      const t = piece / piecesPerSpan;
      const x = catmullRom(before.x, from.x, to.x, after.x, t);
      const y = catmullRom(before.y, from.y, to.y, after.y, t);
      const next = onPage(x, y, pressure((span + t) / spans), hand);
      if (last) pieces.push({ x0: last.x, y0: last.y, r0: last.r, x1: next.x, y1: next.y, r1: next.r });
      last = next;
    }
  }
  return pieces;
}

/** The uniform Catmull-Rom spline between `b` (t = 0) and `c` (t = 1), in one coordinate. */
function catmullRom(a: number, b: number, c: number, d: number, t: number): number {
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}

function onPage(
  x: number,
  y: number,
  r: number,
  { matrix, bend }: Hand,
): { x: number; y: number; r: number } {
  const bentX = x + bend.amplitude * Math.sin(0.04 * y + bend.xPhase);
  const bentY = y + bend.amplitude * Math.sin(0.04 * x + bend.yPhase);
  return { x: matrix[0] * bentX + matrix[1] * bentY, y: matrix[2] * bentX + matrix[3] * bentY, r };
}

/**
 * Scale the pieces to the hand's extent in pixels, move their centre of mass near the image's centre, and set their
 * radii.
 */
function fitToImage(pieces: Piece[], { extent, radius }: Hand, random: Random): void {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  let [mass, massX, massY] = [0, 0, 0];
  for (const { x0, y0, r0, x1, y1, r1 } of pieces) {
    left = Math.min(left, x0, x1);
    right = Math.max(right, x0, x1);
    top = Math.min(top, y0, y1);
    bottom = Math.max(bottom, y0, y1);
    const weight = Math.hypot(x1 - x0, y1 - y0) * (r0 + r1);
    mass += weight;
    massX += (weight * (x0 + x1)) / 2;
    massY += (weight * (y0 + y1)) / 2;
  }
  const scale = (extent - 2 * radius) / Math.max(right - left, bottom - top);
  const shiftX = side / 2 + 0.4 * random.normal() - (scale * massX) / mass;
  const shiftY = side / 2 + 0.4 * random.normal() - (scale * massY) / mass;
  for (const piece of pieces) {
    piece.x0 = scale * piece.x0 + shiftX;
    piece.x1 = scale * piece.x1 + shiftX;
    piece.y0 = scale * piece.y0 + shiftY;
    piece.y1 = scale * piece.y1 + shiftY;
    piece.r0 *= radius;
    piece.r1 *= radius;
  }
}

/**
 * Draw the pieces. The ink of a pixel depends on the distance of its centre to the nearest piece: `(r - distance) /
 * softness + 1/2`.
 */
function ink(pieces: readonly Piece[], softness: number, pixels: Uint8Array): void {
  for (const { x0, y0, r0, x1, y1, r1 } of pieces) {
    const dx = x1 - x0;
    const dy = y1 - y0;
    const lengthSquared = dx * dx + dy * dy || 1;
    const reach = Math.max(r0, r1) + softness / 2;
    const left = Math.max(0, Math.floor(Math.min(x0, x1) - reach));
    const right = Math.min(side, Math.ceil(Math.max(x0, x1) + reach));
    const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach));
    const bottom = Math.min(side, Math.ceil(Math.max(y0, y1) + reach));
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) {
        const px = column + 0.5 - x0;
        const py = row + 0.5 - y0;
        const t = clamp((px * dx + py * dy) / lengthSquared, 0, 1);
        const ex = px - t * dx;
        const ey = py - t * dy;
        const distance = Math.sqrt(ex * ex + ey * ey);
        if (distance >= reach) continue;
        const value = Math.round(255 * clamp((r0 + t * (r1 - r0) - distance) / softness + 0.5, 0, 1));
        const at = row * side + column;
        if (value > pixels[at]) pixels[at] = value;
      }
    }
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
