// Opens a page without its policy, ticks every option and waits for the days: prints what hostile names have managed to do.
//
//   node hostile.mjs PAGE
import { resolve } from "node:path";
import { chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
const context = await browser.newContext({ bypassCSP: true });
await context.setOffline(true);
const tab = await context.newPage();
const seen = { done: [], requests: [] };
tab.on("dialog", (dialog) => { seen.done.push(dialog.message()); dialog.dismiss(); });
tab.on("request", (request) => { if (!/^(file|blob):/.test(request.url())) seen.requests.push(request.url()); });
await tab.goto("file://" + resolve(process.argv[2]));
await tab.waitForFunction(() => window.headend?.ready || window.headend?.off, null, { timeout: 120000 });
for (const option of await tab.locator("[data-option]").all()) {
  await option.check();
  await tab.waitForFunction(() => ["done", "fault"].includes(window.headend.stage), null, { timeout: 300000 });
  seen.stage = await tab.evaluate(() => window.headend.stage);
}
await tab.evaluate(() => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
await tab.waitForTimeout(500);
seen.hacked = await tab.evaluate(() => window.hacked ?? null);
seen.text = await tab.evaluate(() => document.body.innerText);
await browser.close();
console.log(JSON.stringify(seen));
