// Times a page of `headend live` in Chromium, one thread at a time: prints seconds until its answer is shown, of forecasts while a number moves, and
// of replications.
//
//   node speed.mjs PAGE OPTION PATH
import { resolve } from "node:path";
import { chromium } from "playwright-core";

const [page, option, path] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
const context = await browser.newContext();
await context.setOffline(true);
await context.addInitScript(() => Object.defineProperty(navigator, "hardwareConcurrency", { value: 1 }));
const tab = await context.newPage();
const began = Date.now();
await tab.goto("file://" + resolve(page));
const seen = { shown: (Date.now() - began) / 1e3 };
await tab.waitForFunction(() => window.headend?.ready, null, { timeout: 60000 });
seen.ready = (Date.now() - began) / 1e3;
await tab.locator(`[data-option="${option}"]`).check();
const slider = tab.locator(`[data-path="${path}"]`);
for (let move = 0; move < 40; move += 1) {
  await slider.evaluate((input, by) => { input.value = Number(input.max) * by; input.dispatchEvent(new Event("input")); }, 0.3 + 0.01 * move);
  await tab.waitForTimeout(150);
}
seen.forecast = await tab.evaluate(() => window.headend.times.forecast.map((time) => time / 1e3));
await tab.waitForFunction(() => window.headend.times.replication.length >= 4, null, { timeout: 300000 });
seen.replication = await tab.evaluate(() => window.headend.times.replication.map((time) => time / 1e3));
await browser.close();
console.log(JSON.stringify(seen));
