// The page: what is chosen, the forecast of it, and the days that are simulated for it. All that is said comes from the module.
"use strict";
(() => {
  const at = (id) => document.getElementById(id);
  const data = JSON.parse(at("data").textContent);
  const controls = new Map([...document.querySelectorAll("[data-path]")].map((input) => [input.dataset.path, input]));
  const boxes = [...document.querySelectorAll("[data-option]")];
  const stored = { answer: at("answer").innerHTML, charts: at("charts").innerHTML };
  const show = (parts) => { at("answer").innerHTML = parts.answer; at("charts").innerHTML = parts.charts; glance(); };

  // On a narrow screen the answer is out of sight while a number moves: its first target stays at the bottom.
  function glance() {
    const rows = [...document.querySelectorAll("#answer tbody tr")].slice(0, 2);
    const said = rows.map((row) => `${row.cells[0].textContent}: ${row.cells[1].textContent}`);
    at("glance").hidden = said.length === 0 || isPlain();
    at("glance").textContent = said.join("; ") + (rows.length ? ` (${rows[0].cells[1].dataset.label})` : "");
  }
  const say = (text) => { at("state").textContent = text; };
  // Times that tests and curious people can read.
  const times = { forecast: [], replication: [] };
  window.headend = { times, stage: "stored", runs: 0 };

  const stage = (name) => { window.headend.stage = name; document.body.dataset.stage = name; };

  // ---- What is chosen -----------------------------------------------------------------------------------------------------
  let choice = { options: [], values: {} };
  // A number of an option that is not ticked changes nothing.
  function counts(path) {
    const option = controls.get(path).closest("[data-of]");
    return !option || choice.options.includes(option.dataset.of);
  }
  const isPlain = () => choice.options.length === 0 && !Object.keys(choice.values).some(counts);
  // What an address asks for that is not on this page.
  let unknown = [];

  function toAddress() {
    const parts = choice.options.map((name) => "with=" + encodeURIComponent(name));
    for (const [path, value] of Object.entries(choice.values)) parts.push(encodeURIComponent(path) + "=" + encodeURIComponent(value));
    const address = "#" + parts.join("&");
    try { history.replaceState(null, "", address); } catch { location.hash = address; }
  }

  function fromAddress() {
    const found = { options: [], values: {} };
    const asked = new Set();
    unknown = [];
    for (const part of location.hash.slice(1).split("&").filter(Boolean)) {
      let path, value;
      try { [path, value = ""] = part.split("=").map(decodeURIComponent); } catch { unknown.push(part); continue; }
      if (path === "with") asked.add(value);
      else if (controls.has(path)) found.values[path] = value;
      else unknown.push(path);
    }
    found.options = boxes.map((box) => box.dataset.option).filter((name) => asked.delete(name));
    unknown.push(...asked);
    return found;
  }

  function showChoice(positions) {
    for (const box of boxes) box.checked = choice.options.includes(box.dataset.option);
    for (const [path, input] of controls) {
      const moved = path in choice.values;
      const place = positions.get(path);
      input.value = moved && place ? place.position : input.dataset.start;
      tell(input, moved ? (place ? place.said : choice.values[path]) : input.dataset.said);
    }
    showOptions();
  }

  function tell(input, said) {
    at(input.id + "-said").textContent = said;
    input.setAttribute("aria-valuetext", said);
  }

  // What belongs to an option can be moved while it is ticked.
  function showOptions() {
    for (const group of document.querySelectorAll("[data-of]")) group.hidden = !choice.options.includes(group.dataset.of);
  }

  // ---- Threads ------------------------------------------------------------------------------------------------------------
  let compiled = null;
  const source = URL.createObjectURL(new Blob([at("worker").textContent], { type: "text/javascript" }));

  function desk() {
    const worker = new Worker(source);
    const waiting = new Map();
    let last = 0;
    worker.onmessage = ({ data: { number, reply, took } }) => { waiting.get(number)(Object.assign(reply, { took })); waiting.delete(number); };
    worker.onerror = (event) => { for (const done of waiting.values()) done({ fault: event.message || "The engine stopped.", dead: true }); waiting.clear(); };
    const send = (message) => new Promise((done) => { last += 1; waiting.set(last, done); worker.postMessage(Object.assign({ number: last }, message)); });
    return { start: () => send({ compiled }), ask: (request) => send({ request }), end: () => worker.terminate() };
  }

  async function opened() {
    const one = desk();
    await one.start();
    const reply = await one.ask({ ask: "open", name: data.name, text: data.text, files: data.files, assumed: data.assumed });
    return { one, fault: reply.fault };
  }

  // The desk that answers; where its module has stopped, another takes its place and knows what is chosen.
  let front = null;
  let turn = 0;

  async function ask(request) {
    const reply = await front.ask(request);
    if (reply.dead) {
      front.end();
      front = (await opened()).one;
      await front.ask({ ask: "choose", choice });
    }
    return reply;
  }

  // Nothing of an earlier choice is left to be taken for an answer.
  function fail(fault) {
    stop();
    at("fault").hidden = false;
    at("fault").textContent = fault;
    at("moved").hidden = true;
    show({ answer: "<p>There is no answer for this choice.</p>", charts: "" });
    say("This choice cannot be worked out:");
    files(false);
    stage("fault");
  }

  function files(there) {
    for (const button of ["toml", "csv", "png"]) at(button).disabled = !there;
  }

  // ---- Forecast -----------------------------------------------------------------------------------------------------------
  let busy = false, next = null, resting = 0;

  // The last choice counts: what was asked for in between is not answered.
  async function forecast(coarse) {
    next = { coarse };
    if (busy || !front) return;
    busy = true;
    while (next) {
      const { coarse } = next;
      next = null;
      const mine = turn;
      const began = performance.now();
      const chosen = await ask({ ask: "choose", choice });
      if (chosen.fault) { if (mine === turn) fail(chosen.fault); continue; }
      const reply = await ask({ ask: "forecast", coarse });
      if (mine !== turn) continue;
      if (reply.fault) { fail(reply.fault); continue; }
      explain(chosen);
      files(true);
      at("fault").hidden = true;
      show(reply.parts);
      const took = performance.now() - began;
      times.forecast.push(took);
      stage(coarse ? "rough" : "forecast");
      say(coarse ? "Forecast …" : "Forecast. The days are simulated next …");
      if (!coarse) simulate(chosen.setups);
    }
    busy = false;
  }

  // What each option does now, and which numbers are not those of the scenario.
  function explain({ what, moved }) {
    for (const one of document.querySelectorAll("[data-what]")) one.textContent = what[one.dataset.what] ?? "";
    const told = moved.length ? ["Moved: " + moved.join("; ") + "."] : [];
    at("moved").dataset.moved = told.join();
    if (unknown.length) {
      const some = unknown.slice(0, 5).map((one) => one.slice(0, 60));
      told.push("The address asks for what is not on this page, or lies outside its range, and is left out: " + some.join(", ") + (unknown.length > 5 ? " …" : "."));
    }
    at("moved").hidden = told.length === 0;
    at("moved").textContent = told.join(" ");
  }

  function changed(moving) {
    if (isPlain()) { plain(); return; }
    turn += 1;
    stop();
    toAddress();
    at("reset").disabled = false;
    clearTimeout(resting);
    forecast(true);
    resting = setTimeout(() => forecast(false), moving ? 400 : 150);
  }

  // ---- Simulation ---------------------------------------------------------------------------------------------------------
  let runners = [];
  const most = Math.max(1, Math.min(4, navigator.hardwareConcurrency || 2));

  function stop() {
    for (const runner of runners) runner.end();
    runners = [];
    at("stop").hidden = true;
  }

  async function simulate(setups) {
    stop();
    const mine = turn;
    const there = new Map();
    let begun = 0, taken = 0, planned = data.replications, over = false;
    at("stop").hidden = false;
    say("Forecast. Simulating the first day …");
    const take = async () => {
      while (!over && mine === turn && there.has(taken)) {
        const { setup, replication, record } = there.get(taken);
        there.delete(taken);
        taken += 1;
        const reply = await ask({ ask: "take", setup, replication, record });
        if (mine !== turn) return;
        if (reply.fault) { over = true; fail(reply.fault); return; }
        if (taken % setups === 0) await tellSoFar();
      }
    };
    // How long it will take, from what it took so far.
    const left = () => {
      const took = times.replication.slice(-8);
      const minutes = took.reduce((sum, one) => sum + one, 0) / took.length / 60000 * (planned * setups - taken) / runners.length;
      return minutes >= 0.5 ? `; some ${Math.ceil(minutes)} min are left` : "";
    };
    const tellSoFar = async () => {
      const reply = await ask({ ask: "results" });
      if (mine !== turn) return;
      if (reply.fault) { over = true; fail(reply.fault); return; }
      [window.headend.runs, planned] = reply.runs;
      if (!reply.parts) { say(`Forecast. ${window.headend.runs} of ${planned} or more days are simulated${left()} …`); wake(); return; }
      show(reply.parts);
      stage("simulated");
      say(reply.done ? `Simulated ${reply.runs[0]} days: done.` : `Simulated ${reply.runs[0]} of ${planned} or more days; intervals narrow as more come …`);
      if (reply.done) { over = true; stage("done"); stop(); }
      else wake();
    };
    // One after the other, so that runs come in turn.
    let queue = Promise.resolve();
    let sleeping = [];
    const wake = () => { sleeping.forEach((go) => go()); sleeping = []; };
    const run = async () => {
      const { one, fault } = await opened();
      if (mine !== turn || over) { one.end(); return; }
      runners.push(one);
      const chosen = fault ? { fault } : await one.ask({ ask: "choose", choice });
      if (chosen.fault) { fail(chosen.fault); return; }
      while (mine === turn && !over) {
        if (begun >= planned * setups) { await new Promise((go) => sleeping.push(go)); continue; }
        const job = begun;
        begun += 1;
        const [setup, replication] = [job % setups, Math.floor(job / setups)];
        const reply = await one.ask({ ask: "simulate", setup, replication });
        if (mine !== turn || over) return;
        if (reply.fault) { over = true; fail(reply.fault); return; }
        times.replication.push(reply.took);
        there.set(job, { setup, replication, record: reply.text });
        queue = queue.then(take);
      }
    };
    for (let number = 0; number < most; number += 1) run();
  }

  // ---- Files --------------------------------------------------------------------------------------------------------------
  function download(name, bytes, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async function asFile(request, name, type) {
    const reply = await ask(request);
    if (reply.fault) fail(reply.fault); else download(reply.file ?? name, reply.text, type);
  }

  // Writes a text in lines that fit; gives where the next line begins.
  function write(pen, text, [x, y], [width, height]) {
    let line = "";
    for (const word of text.split(/\s+/)) {
      if (line && pen.measureText(line + word).width > width) { pen.fillText(line, x, y); line = ""; y += height; }
      line += word + " ";
    }
    pen.fillText(line, x, y);
    return y + height;
  }

  // A chart with its finding above it; below stands what it shows, and of what.
  function picture(figure) {
    const svg = figure.querySelector("svg").cloneNode(true);
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas"), scale = 2, head = 70, foot = 96;
      canvas.width = width * scale;
      canvas.height = (height + head + foot) * scale;
      const pen = canvas.getContext("2d");
      pen.scale(scale, scale);
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, width, height + head + foot);
      pen.fillStyle = "#282c34";
      pen.font = "600 17px sans-serif";
      write(pen, figure.querySelector("h2").textContent, [12, 24], [width - 24, 22]);
      pen.drawImage(image, 0, head);
      pen.font = "12px sans-serif";
      const note = figure.querySelector("figcaption")?.textContent ?? "";
      const how = document.querySelector("#answer .quiet").textContent.split(".")[0] + ".";
      const below = [note, how, at("moved").dataset.moved, document.title, data.made].join(" ");
      write(pen, below, [12, head + height + 20], [width - 24, 16]);
      canvas.toBlob((bytes) => download(figure.dataset.chart + ".png", bytes, "image/png"));
      URL.revokeObjectURL(image.src);
    };
    image.src = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" }));
  }

  // ---- Begin --------------------------------------------------------------------------------------------------------------
  function listen() {
    for (const [path, input] of controls) {
      input.addEventListener("input", async () => {
        const mine = choice;
        at("reset").disabled = false;
        const reply = await ask({ ask: "value", path, position: Number(input.value) });
        unknown = [];
        // Meanwhile everything may be back at the start.
        if (mine !== choice) return;
        if (reply.fault) { fail(reply.fault); return; }
        if (reply.value[1] === input.dataset.said) delete choice.values[path];
        else choice.values[path] = reply.value[0];
        tell(input, reply.value[1]);
        changed(true);
      });
    }
    for (const box of boxes) {
      box.addEventListener("change", () => {
        unknown = [];
        choice.options = boxes.filter((other) => other.checked).map((other) => other.dataset.option);
        showOptions();
        changed(false);
      });
    }
    at("reset").addEventListener("click", () => { unknown = []; plain(); });
    at("stop").addEventListener("click", () => { turn += 1; stop(); say("Stopped. Move something to go on."); });
    at("toml").addEventListener("click", () => asFile({ ask: "scenario" }, data.name, "application/toml"));
    at("csv").addEventListener("click", () => {
      if (window.headend.stage === "stored") download(...data.summary, "text/csv");
      else asFile({ ask: "csv" }, "summary.csv", "text/csv");
    });
    at("png").addEventListener("click", () => document.querySelectorAll("#charts figure").forEach(picture));
    at("link").addEventListener("click", async () => {
      const address = location.href;
      try { await navigator.clipboard.writeText(address); say("The address is copied: it opens this page as it is now."); }
      catch { prompt("The address of this page as it is now:", address); }
    });
    window.addEventListener("hashchange", restore);
  }

  // Nothing is chosen: what was stored.
  async function plain() {
    turn += 1;
    stop();
    clearTimeout(resting);
    next = null;
    choice = { options: [], values: {} };
    toAddress();
    showChoice(new Map());
    files(true);
    at("fault").hidden = true;
    at("reset").disabled = true;
    show(stored);
    stage("stored");
    const mine = turn;
    const chosen = await ask({ ask: "choose", choice });
    if (mine !== turn) return;
    explain(chosen);
    say(data.ready);
  }

  async function restore() {
    choice = fromAddress();
    const mine = choice;
    const positions = new Map();
    for (const [path, value] of Object.entries(choice.values)) {
      const reply = await ask({ ask: "position", path, value });
      if (mine !== choice) return;
      if (reply.fault) unknown.push(path);
      if (reply.fault || reply.value[1] === controls.get(path).dataset.said) { delete choice.values[path]; continue; }
      positions.set(path, { position: reply.position, said: reply.value[1] });
    }
    if (isPlain()) { await plain(); return; }
    showChoice(positions);
    changed(false);
  }

  async function begin() {
    if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") throw new Error("off");
    const packed = Uint8Array.from(atob(at("module").textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    compiled = await WebAssembly.compile(await new Response(stream).arrayBuffer());
    const { one, fault } = await opened();
    if (fault) throw new Error(fault);
    front = one;
    // The module is fast only when the browser has seen what it does: the first forecasts are for nobody.
    for (let number = 0; number < 3; number += 1) await front.ask({ ask: "forecast", coarse: true });
    at("controls").disabled = false;
    listen();
    at("reset").disabled = true;
    await restore();
    window.headend.ready = true;
  }

  begin().catch((fault) => {
    at("off").hidden = false;
    at("controls").hidden = true;
    say("");
    window.headend.off = String(fault);
  });
})();
