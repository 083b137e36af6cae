// SPDX-License-Identifier: BSL-1.0
// Usage: page.mjs URL SECRET [PICTURE]
//
// Looks at the page in Chromium, light and dark, wide and narrow: axe-core finds nothing, nothing is asked of anybody else, no policy is violated,
// what a source says stays text, the script updates the page. Ends in 1 and says why where that is not so. PICTURE: where to put a screenshot.
import puppeteer from 'puppeteer-core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [url, secret, picture] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await puppeteer.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const problems = [];
const check = (what, holds, seen = '') => { if (!holds) problems.push(`${what}: ${seen}`); };

for (const [scheme, width] of [['light', 1280], ['dark', 1280], ['light', 390], ['dark', 390]]) {
    const name = `${scheme} ${width}`;
    const page = await browser.newPage();
    page.on('request', r => check(`${name}: a request to another`, r.url().startsWith(url) || r.url().startsWith('data:'), r.url()));
    page.on('console', m => check(`${name}: console`, false, m.text()));
    page.on('pageerror', e => check(`${name}: script`, false, e.message));
    page.on('dialog', d => { check(`${name}: a script of a source ran`, false, d.message()); d.dismiss(); });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
    await page.setViewport({ width, height: 800 });
    await page.authenticate({ username: 'me', password: secret });
    const response = await page.goto(url);
    check(`${name}: status`, response.status() === 200, response.status());
    const seen = await page.evaluate(() => ({
        first: document.querySelector('h1').textContent,
        title: document.title,
        sources: document.querySelectorAll('li').length,
        scripts: document.querySelectorAll('script').length,
        worst: document.querySelector('li').className,
        background: getComputedStyle(document.body).backgroundColor,
        wide: document.documentElement.scrollWidth > innerWidth,
    }));
    check(`${name}: title`, seen.first === seen.title && / of \d+ sources? (is|are) not OK$/.test(seen.first), JSON.stringify(seen));
    check(`${name}: worst first`, seen.worst === 'e', seen.worst);
    check(`${name}: one script`, seen.scripts === 1, seen.scripts);
    check(`${name}: too wide`, !seen.wide);
    check(`${name}: background`, (seen.background === 'rgb(255, 255, 255)') === (scheme === 'light'), seen.background);
    if (picture && name === 'light 1280') await page.screenshot({ path: picture });

    // By the debugger, which the policy does not bind.
    await page.evaluate(axe);
    const found = await page.evaluate(() => axe.run({ resultTypes: ['violations'] }));
    for (const each of found.violations) check(`${name}: axe`, false, `${each.id}: ${each.help}: ${each.nodes[0].html}`);

    if (name === 'light 1280') { // the script: times go on by themselves, what is open stays open, and the box stops it
        await page.evaluate(() => { document.querySelector('details').open = true; });
        const text = () => page.evaluate(() => document.querySelector('main').textContent);
        const before = await text();
        await page.waitForFunction(old => document.querySelector('main').textContent !== old, { timeout: 20000 }, before);
        check('the script closes what is open', await page.evaluate(() => document.querySelector('details').open));
        await page.click('input');
        const stopped = await text();
        await new Promise(done => setTimeout(done, 6000));
        check('the box does not stop the script', await text() === stopped);
    }
    await page.close();
}

const other = await browser.newPage(); // without script
await other.setJavaScriptEnabled(false);
await other.authenticate({ username: 'me', password: secret });
await other.goto(url);
check('without script', (await other.$$('li')).length > 0);
await browser.close();
for (const each of problems) console.log(each);
process.exit(problems.length === 0 ? 0 : 1);
