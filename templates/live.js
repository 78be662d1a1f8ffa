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
  const isPlain = () => choice.options.length === 0 && Object.keys(choice.values).length === 0;

  function toAddress() {
    const parts = choice.options.map((name) => "with=" + encodeURIComponent(name));
    for (const [path, value] of Object.entries(choice.values)) parts.push(encodeURIComponent(path) + "=" + encodeURIComponent(value));
    const address = "#" + parts.join("&");
    try { history.replaceState(null, "", address); } catch { location.hash = address; }
  }

  function fromAddress() {
    const found = { options: [], values: {} };
    for (const part of location.hash.slice(1).split("&")) {
      let path, value;
      try { [path, value = ""] = part.split("=").map(decodeURIComponent); } catch { continue; }
      if (path === "with" && boxes.some((box) => box.dataset.option === value)) found.options.push(value);
      else if (controls.has(path)) found.values[path] = value;
    }
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
    at("moved").hidden = moved.length === 0;
    at("moved").textContent = "Moved: " + moved.join("; ") + ".";
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
    const tellSoFar = async () => {
      const reply = await ask({ ask: "results" });
      if (mine !== turn) return;
      if (reply.fault) { over = true; fail(reply.fault); return; }
      [window.headend.runs, planned] = reply.runs;
      if (!reply.parts) { wake(); return; }
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

  // A chart with its finding above it.
  function picture(figure) {
    const svg = figure.querySelector("svg").cloneNode(true);
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas"), scale = 2, head = 70;
      canvas.width = width * scale;
      canvas.height = (height + head) * scale;
      const pen = canvas.getContext("2d");
      pen.scale(scale, scale);
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, width, height + head);
      pen.fillStyle = "#282c34";
      pen.font = "600 17px sans-serif";
      let line = "", y = 24;
      for (const word of figure.querySelector("h2").textContent.split(" ")) {
        if (pen.measureText(line + word).width > width - 24) { pen.fillText(line, 12, y); line = ""; y += 22; }
        line += word + " ";
      }
      pen.fillText(line, 12, y);
      pen.drawImage(image, 0, head);
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
        choice.options = boxes.filter((other) => other.checked).map((other) => other.dataset.option);
        showOptions();
        changed(false);
      });
    }
    at("reset").addEventListener("click", plain);
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
      if (reply.fault) { delete choice.values[path]; continue; }
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
