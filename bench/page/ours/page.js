// gan-onnx's side of a comparison, in a page: the training graph in a worker, as the page of gan-onnx has it.
const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });

const ask = (...question) =>
  new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => ("error" in data ? reject(new Error(data.error)) : resolve(data.result));
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(question);
  });

globalThis.open = (...place) => ask("open", ...place);
globalThis.round = () => ask("round");
