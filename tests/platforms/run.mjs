// Prints the fingerprint of each fidelity, a line each, from the module that is named.
import { readFileSync } from "node:fs";

const module = await WebAssembly.compile(readFileSync(process.argv[2]));
const { exports } = await WebAssembly.instantiate(module, {});
["flow", "sampled", "packet"].forEach((name, number) => {
  console.log(name, BigInt.asUintN(64, exports.fingerprint(number)).toString(16).padStart(16, "0"));
});
