import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Writer } from "protobufjs/minimal.js";
import { crc32c } from "../checksum.js";
import { makeFolder, unwritable } from "../files.node.js";
import type { Workplace } from "../training/training.js";
import { runFiles } from "./run-folder.js";

/*
 * Event files of TensorBoard: records (https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/io/record_writer.h)
 * of protobuf messages (https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/util/event.proto and
 * .../framework/summary.proto), of which these are the field numbers.
 */
const EVENT = { wallTime: 1, step: 2, version: 3, summary: 5, session: 7 } as const;
const VALUE = { tag: 1, scalar: 2, image: 4, tensor: 8, metadata: 9 } as const;
const IMAGE = { height: 1, width: 2, colours: 3, png: 4 } as const;
const TENSOR = { type: 1, strings: 8 } as const;
const [VARINT, DOUBLE, BYTES, FLOAT] = [0, 1, 2, 5];
/** TensorFlow's element type for strings. */
const STRING = 7;
/** A session of a writer starts: TensorBoard forgets what an earlier one wrote from this step on. */
const START = 1;

const key = (field: number, type: number) => 8 * field + type;

/** One number, image or text of a step. */
type Summary =
  | { readonly tag: string; readonly scalar: number }
  | { readonly tag: string; readonly png: Uint8Array }
  | { readonly tag: string; readonly text: string };

function summaryBytes(values: readonly Summary[]): Uint8Array {
  const writer = Writer.create();
  for (const value of values) writer.uint32(key(1, BYTES)).bytes(valueBytes(value));
  return writer.finish();
}

function valueBytes(value: Summary): Uint8Array {
  const writer = Writer.create().uint32(key(VALUE.tag, BYTES)).string(value.tag);
  if ("scalar" in value) return writer.uint32(key(VALUE.scalar, FLOAT)).float(value.scalar).finish();
  if ("png" in value) return writer.uint32(key(VALUE.image, BYTES)).bytes(imageBytes(value.png)).finish();
  const tensor = Writer.create()
    .uint32(key(TENSOR.type, VARINT))
    .uint32(STRING)
    .uint32(key(TENSOR.strings, BYTES))
    .string(value.text)
    .finish();
  // SummaryMetadata { plugin_data { plugin_name } }
  const plugin = Writer.create().uint32(key(1, BYTES)).string("text").finish();
  const metadata = Writer.create().uint32(key(1, BYTES)).bytes(plugin).finish();
  return writer
    .uint32(key(VALUE.tensor, BYTES))
    .bytes(tensor)
    .uint32(key(VALUE.metadata, BYTES))
    .bytes(metadata)
    .finish();
}

/** An image as TensorBoard has it. The header of a PNG holds its size, and its colour type: 0 is grey. */
function imageBytes(png: Uint8Array): Uint8Array {
  const view = new DataView(png.buffer, png.byteOffset);
  return Writer.create()
    .uint32(key(IMAGE.height, VARINT))
    .uint32(view.getUint32(20))
    .uint32(key(IMAGE.width, VARINT))
    .uint32(view.getUint32(16))
    .uint32(key(IMAGE.colours, VARINT))
    .uint32(png[25] === 0 ? 1 : 3)
    .uint32(key(IMAGE.png, BYTES))
    .bytes(png)
    .finish();
}

/** An event as a record. `step` counts from the beginning of the training; `time` is in seconds since 1970. */
function eventRecord(time: number, step: number, values: readonly Summary[]): Uint8Array {
  const event = head(time, step).uint32(key(EVENT.summary, BYTES)).bytes(summaryBytes(values));
  return record(event.finish());
}

/** The first records of a file: its version, and that what follows replaces all after `step`. */
function fileStart(time: number, step: number): Uint8Array {
  const version = head(time, 0).uint32(key(EVENT.version, BYTES)).string("brain.Event:2").finish();
  const session = Writer.create().uint32(key(1, VARINT)).uint32(START).finish();
  const start = head(time, step).uint32(key(EVENT.session, BYTES)).bytes(session).finish();
  return Buffer.concat([record(version), record(start)]);
}

function head(time: number, step: number): Writer {
  return Writer.create()
    .uint32(key(EVENT.wallTime, DOUBLE))
    .double(time)
    .uint32(key(EVENT.step, VARINT))
    .int64(step);
}

/** Length and data, each followed by its masked CRC-32C, little-endian. */
function record(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + data.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(bytes.subarray(0, 8))), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, masked(crc32c(data)), true);
  return bytes;
}

/** Rotated by 15 bits, plus a constant: a CRC of data that hold CRCs would be a weak one. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/**
 * A workplace that also writes event files of TensorBoard into the folder `tensorboard` of the run: the metrics of every
 * step, the scores, the sheets, and the settings as a text. Each session has a file of its own.
 *
 * @param stepsInEpoch steps of an epoch: TensorBoard counts steps from the beginning.
 */
export function withTensorboard(
  workplace: Workplace,
  run: { readonly folder: string; readonly start: { readonly position: { epoch: number; step: number } } },
  { stepsInEpoch, settings }: { stepsInEpoch: number; settings: Readonly<Record<string, unknown>> },
): Workplace {
  const { keeper } = workplace;
  const folder = join(run.folder, "tensorboard");
  const now = () => Date.now() / 1000;
  const path = join(folder, `events.out.tfevents.${Math.floor(now())}.gan-onnx.${process.pid}`);
  const { epoch, step } = run.start.position;
  const add = async (bytes: Uint8Array) => {
    await appendFile(path, bytes).catch((cause: unknown) => {
      throw unwritable(path, cause);
    });
  };
  return {
    ...workplace,
    keeper: {
      ...keeper,
      async begin() {
        await keeper.begin();
        await makeFolder(folder);
        const first = epoch * stepsInEpoch + step;
        const rows = Object.entries(settings).map(
          ([name, value]) => `| ${name} | ${JSON.stringify(value)} |`,
        );
        const text = ["| setting | value |", "|---|---|", ...rows].join("\n");
        const about = first === 0 ? [eventRecord(now(), 0, [{ tag: "settings/text_summary", text }])] : [];
        await add(Buffer.concat([fileStart(now(), first + 1), ...about]));
      },
      async metrics(lines) {
        await keeper.metrics(lines);
        const time = now();
        const records = lines.map(({ epoch, step, metrics }) =>
          eventRecord(
            time,
            (epoch - 1) * stepsInEpoch + step,
            Object.entries(metrics).map(([name, scalar]) => ({ tag: `metrics/${name}`, scalar })),
          ),
        );
        await add(Buffer.concat(records));
      },
      async scores(line) {
        await keeper.scores?.(line);
        const values = Object.entries(line.scores).map(([name, scalar]) => ({
          tag: `scores/${name}`,
          scalar,
        }));
        await add(eventRecord(now(), line.epoch * stepsInEpoch, values));
      },
      async sheet(sheet, epoch) {
        await keeper.sheet(sheet, epoch);
        const png = new Uint8Array(await readFile(runFiles(run.folder).fakeImages(epoch)));
        await add(eventRecord(now(), epoch * stepsInEpoch, [{ tag: "samples", png }]));
      },
    },
  };
}
