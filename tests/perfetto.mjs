// SPDX-License-Identifier: GPL-2.0-or-later
// Reads traces with Perfetto's trace processor and prints what it found in each, a line of JSON.
//
//   node perfetto.mjs FOLDER FILE...     FOLDER: `tests/consumers path perfetto`
//
// Its engine is made for a worker of a browser: this gives it what it needs of one.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';

const [folder, ...files] = process.argv.slice(2);
if (!files.length) {
	console.error('usage: node perfetto.mjs FOLDER FILE...');
	process.exit(2);
}
const at = (name) => join(resolve(folder), name);
const { EngineBase } = await import(pathToFileURL(at('engine.mjs')));

globalThis.self = globalThis;
globalThis.WorkerGlobalScope = class {};
globalThis.location = { href: pathToFileURL(at('')).href };
globalThis.XMLHttpRequest = class {
	open(method, url) { this.url = url; }
	send() { this.response = readFileSync(at(this.url.split('/').pop())).buffer; }
};
// It warns of fields that only its newer user interface knows.
console.warn = () => {};
const glue = readFileSync(at('engine_bundle.node.js'), 'utf8');

async function start() {
	// It asks by a little module for memory of 64 bits, but there is only the engine of 32.
	const { Module } = WebAssembly;
	WebAssembly.Module = function (bytes) {
		if (bytes.length < 64)
			throw new Error('32 bits only');
		return new Module(bytes);
	};
	vm.runInThisContext(glue);
	WebAssembly.Module = Module;
	await new Promise(setImmediate);

	const engine = new (class extends EngineBase {
		mode = 'WASM';
		id = 'pyflow';
		rpcSendRequestBytes(data) { this.orders({ data }); }
	})();
	const port = { postMessage: (data) => engine.onRpcResponseBytes(data) };
	self.onmessage({ data: port });
	engine.orders = (order) => port.onmessage(order);
	return engine;
}

async function rows(engine, sql) {
	const result = await engine.query(sql);
	const found = [];
	for (const it = result.iter({}); it.valid(); it.next()) {
		const row = {};
		for (const column of result.columns()) {
			const value = it.get(column);
			row[column] = typeof value === 'bigint' ? Number(value) : value;
		}
		found.push(row);
	}
	return found;
}

const errors = `select name, value from stats
	where value > 0 and severity in ('error', 'data_loss') order by name`;
const counts = `select count(*) as slices, sum(dur = -1) as unfinished,
	max(depth) as depth, min(ts) as first, max(ts) as last,
	min(case when dur >= 0 then dur end) as shortest from slice`;
const processes = `select pid, name from process
	where upid in (select upid from thread_track t join thread using (utid)) or name is not null
	order by pid`;
const threads = `select pid, tid, thread.name, count(slice.id) as slices
	from thread join process using (upid) join thread_track using (utid)
	join slice on slice.track_id = thread_track.id group by utid order by pid, tid`;

async function read(file) {
	const engine = await start();
	const found = { file, errors: {} };
	try {
		await engine.parse(new Uint8Array(readFileSync(file)));
		await engine.notifyEof();
	} catch (error) {
		found.errors.refused = String(error.message ?? error).split('\n')[0];
	}
	const tables = await rows(engine, "select 1 from sqlite_master where name = 'slice'");
	if (!tables.length) {
		found.slices = 0;
		return found;
	}
	for (const { name, value } of await rows(engine, errors))
		found.errors[name] = value;
	Object.assign(found, (await rows(engine, counts))[0]);
	found.processes = await rows(engine, processes);
	found.threads = await rows(engine, threads);
	if (process.env.PERFETTO_SQL)
		found.rows = await rows(engine, process.env.PERFETTO_SQL);
	return found;
}

for (const file of files)
	console.log(JSON.stringify(await read(file)));
