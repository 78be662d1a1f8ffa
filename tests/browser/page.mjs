// Drives a page of `headend live` as somebody would, and prints what it saw as JSON.
//
//   node page.mjs PAGE OUT
//
// Chromium is found at CHROMIUM, or where Debian puts it. Downloads go to the folder OUT.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const [page, out] = process.argv.slice(2);
const address = "file://" + resolve(page);
const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const seen = { requests: [], faults: [], axe: {}, times: {} };

async function opened(browser, [width, height], hash = "", settings = {}) {
  const context = await browser.newContext({ viewport: { width, height }, acceptDownloads: true, ...settings });
  await context.setOffline(true);
  const tab = await context.newPage();
  tab.on("pageerror", (fault) => seen.faults.push(fault.message));
  tab.on("console", (line) => { if (line.type() === "error") seen.faults.push(line.text()); });
  tab.on("dialog", (dialog) => { seen.faults.push("dialog: " + dialog.message()); dialog.dismiss(); });
  tab.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !url.startsWith("blob:")) seen.requests.push(url);
  });
  const began = Date.now();
  await tab.goto(address + hash);
  seen.times.shown ??= Date.now() - began;
  await tab.waitForFunction(() => window.headend?.ready || window.headend?.off, null, { timeout: 60000 });
  seen.times.ready ??= Date.now() - began;
  return tab;
}

const stage = (tab, ...names) =>
  tab.waitForFunction((names) => names.includes(window.headend.stage), names, { timeout: 300000 });
const words = (tab, selector) => tab.locator(selector).innerText();

async function saved(tab, button) {
  const [download] = await Promise.all([tab.waitForEvent("download"), tab.click(button)]);
  const path = join(out, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

// A policy of the page keeps injected scripts out: axe is run where that is off.
async function violations(tab) {
  await tab.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  const found = await tab.evaluate(() => window.axe.run());
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).slice(0, 3).join(" | ")}`);
}

const browser = await chromium.launch({ executablePath, args: quiet });

// What is stored; then an option is ticked, a number is moved by the keyboard, and the days are simulated.
const tab = await opened(browser, [1280, 900]);
seen.stored = await words(tab, "#answer");
const option = tab.locator("[data-option]").first();
seen.option = await option.getAttribute("data-option");
await option.check();
await stage(tab, "forecast", "simulated", "done");
const slider = tab.locator("[data-path*=throughput]").first();
seen.path = await slider.getAttribute("data-path");
seen.before = await slider.getAttribute("aria-valuetext");
await slider.focus();
for (let press = 0; press < 8; press += 1) { await tab.keyboard.press("ArrowLeft"); await tab.waitForTimeout(60); }
await tab.waitForFunction((id) => document.activeElement.getAttribute("data-path") === id, seen.path);
seen.after = await slider.getAttribute("aria-valuetext");
await stage(tab, "forecast", "simulated", "done");
seen.forecast = await words(tab, "#answer");
await stage(tab, "done", "fault");
seen.simulated = await words(tab, "#answer");
seen.state = await words(tab, "#state");
seen.hash = await tab.evaluate(() => location.hash);
seen.times.forecast = await tab.evaluate(() => window.headend.times.forecast);
seen.times.replication = await tab.evaluate(() => window.headend.times.replication);
seen.toml = await saved(tab, "#toml");
seen.csv = await saved(tab, "#csv");
const pictures = [];
tab.on("download", (download) => pictures.push(download.suggestedFilename()));
await tab.click("#png");
await tab.waitForTimeout(1500);
// They are saved side by side, in any order.
seen.pictures = pictures.sort();

// What is taken back is as it was: nothing chosen is the start.
const back = await opened(browser, [1280, 900]);
await back.locator("[data-option]").first().check();
await stage(back, "forecast", "simulated", "done");
seen.roughly = (await saved(back, "#csv")).split("/").pop();
await back.locator("[data-option]").first().uncheck();
await stage(back, "stored");
seen.unticked = await words(back, "#answer");
// Moved and put back to the start at once: no late reply moves it again.
const first = back.locator("[data-path*=throughput]").first();
await first.focus();
for (let press = 0; press < 5; press += 1) await back.keyboard.press("ArrowLeft");
await back.click("#reset", { force: true });
await back.waitForTimeout(1200);
seen.raced = await back.evaluate(() => [location.hash, window.headend.stage]);

// A number of an option is moved, and the option is taken out.
const curfew = back.locator("[data-option]").first();
await curfew.check();
await stage(back, "forecast", "simulated", "done");
await back.locator("[data-of] [data-path]").first().focus();
for (let press = 0; press < 3; press += 1) { await back.keyboard.press("ArrowLeft"); await back.waitForTimeout(60); }
await stage(back, "forecast", "simulated", "done");
await curfew.uncheck();
await stage(back, "stored");
seen.taken = [await back.evaluate(() => location.hash), await words(back, "#answer")];

// An address that asks for what is not there.
const strange = await opened(browser, [1280, 900], "#with=nope&x=1&concentrator.hub.throughput=999%20Tbit%2Fs");
await stage(strange, "stored");
await strange.waitForFunction(() => !document.getElementById("moved").hidden);
seen.strange = await words(strange, "#moved");

// The address opens the same again; "back to the start" is the start.
const again = await opened(browser, [1280, 900], seen.hash);
await stage(again, "done", "fault");
seen.again = await words(again, "#answer");
await again.click("#reset");
await stage(again, "stored");
seen.reset = await words(again, "#answer");

for (const [name, size] of [["wide", [1280, 900]], ["narrow", [390, 844]]]) {
  const tab = await opened(browser, size, "", { bypassCSP: true });
  seen[name + " overflow"] = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  await tab.addScriptTag({ content: axe });
  seen.axe[name + " stored"] = await violations(tab);
  await tab.locator("[data-option]").first().check();
  await stage(tab, "done", "fault");
  seen.axe[name + " done"] = await violations(tab);
  await tab.context().close();
}
await browser.close();

// Where WebAssembly is switched off, and where scripts are.
const jitless = await chromium.launch({ executablePath, args: [...quiet, "--js-flags=--jitless"] });
const off = await opened(jitless, [1280, 900]);
seen.off = { told: await off.locator("#off").isVisible(), controls: await off.locator("#controls").isVisible(), answer: await words(off, "#answer") };
const context = await jitless.newContext({ javaScriptEnabled: false });
const plain = await context.newPage();
await plain.goto(address);
seen.plain = { answer: await words(plain, "#answer"), told: await plain.locator("noscript").innerText() };
await jitless.close();

console.log(JSON.stringify(seen, null, 1));
