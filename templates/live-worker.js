// One desk in a thread of its own: takes the compiled module, then answers requests in their order.
"use strict";
let module = null;
const toText = new TextDecoder(), toBytes = new TextEncoder();

function ask(request) {
  const bytes = toBytes.encode(JSON.stringify(request));
  const at = module.room(bytes.length);
  new Uint8Array(module.memory.buffer, at, bytes.length).set(bytes);
  const length = module.answer();
  return JSON.parse(toText.decode(new Uint8Array(module.memory.buffer, module.reply_at(), length)));
}

onmessage = async (message) => {
  const { number, compiled, request } = message.data;
  try {
    if (compiled) module = (await WebAssembly.instantiate(compiled, {})).exports;
    const began = performance.now();
    const reply = request ? ask(request) : {};
    postMessage({ number, reply, took: performance.now() - began });
  } catch (fault) {
    // What stopped in the middle of something must not go on.
    module = null;
    postMessage({ number, reply: { fault: "The engine stopped: " + fault, dead: true } });
  }
};
