/*
 * A MoleculerJS node of the interop table and of other tests, driven over its standard input and output.
 *
 *   node peer.js '{"version": "015", "nodeID": …, "namespace": …, "url": …, "serializer": …,
 *                  "transmit": [["Compression", {…}], ["Encryption", password, algorithm, iv]],
 *                  "heartbeatTimeout": …, "discoverer": URL|undefined}'
 *
 * "transmit" is in the order of the middlewares.
 *
 * One JSON object a line comes in: {"n": 1, "do": "call", ...}; one goes out for each: {"n": 1, "ok": ...}
 * or {"n": 1, "error": {...}}. {"ready": true} comes first.
 */
"use strict";

const options = JSON.parse(process.argv[2]);
const { ServiceBroker, Errors, Middlewares } = require(`moleculer-${options.version}`);
const { Readable } = require("stream");
const { createHash } = require("crypto");
const { isDeepStrictEqual } = require("util");
const readline = require("readline");

const { battery } = require("./battery");

function redisAt(url) {
	return { host: url.hostname, port: Number(url.port), password: url.password || undefined };
}

const broker = new ServiceBroker({
	nodeID: options.nodeID,
	namespace: options.namespace,
	// ioredis's ready check asks INFO of a connection that subscribes meanwhile, and ends the process
	transporter: { type: "Redis", options: { ...redisAt(new URL(options.url)), enableReadyCheck: false } },
	serializer: options.serializer,
	logger: false,
	heartbeatInterval: 1,
	heartbeatTimeout: options.heartbeatTimeout,
	retryPolicy: { enabled: true, retries: 2, delay: 10, factor: 1 },
	metadata: { kind: "interop" },
	middlewares: options.transmit.map(([name, ...rest]) => Middlewares.Transmit[name](...rest)),
	registry: { discoverer: options.discoverer || "Local" }
});

const heard = [];
const tries = new Map();

function seen(ctx) {
	const { id, level, requestID, parentID, caller, nodeID, meta, headers } = ctx;
	return { id, level, requestID, parentID, caller, nodeID, meta, headers, timeout: ctx.options.timeout };
}

function fieldsOf(err) {
	const { name, message, code, type, data, retryable, nodeID } = err;
	return { name, message, code, type, data, retryable, nodeID };
}

// as in Python: byte i of a stream is i*i modulo 251
function chunkOf(begin, size) {
	return Buffer.alloc(size, Buffer.from(Array.from({ length: 251 }, (_, i) => ((begin + i) * (begin + i)) % 251)));
}

function* chunks(bytes, chunk) {
	for (let begin = 0; begin < bytes; begin += chunk) yield chunkOf(begin, Math.min(chunk, bytes - begin));
}

async function* endless() {
	for (;;) {
		yield Buffer.alloc(1000, "e");
		await new Promise(resolve => setTimeout(resolve, 5));
	}
}

function* rows(count) {
	for (let i = 0; i < count; i++) yield { i, text: `row ${i} é😀`, none: null };
}

function source({ bytes, chunk = 50000, count, failing }) {
	if (failing) {
		return Readable.from(
			(async function* () {
				yield* rows(2000); // so many that whoever reads has begun before it fails
				throw new Errors.MoleculerError("torn", 500, "TORN", { n: 1 });
			})(),
			{ objectMode: true }
		);
	}
	if (bytes !== undefined) return Readable.from(chunks(bytes, chunk), { objectMode: false });
	return Readable.from(rows(count), { objectMode: true });
}

async function digest(stream) {
	const hash = createHash("sha256");
	let size = 0;
	const objects = [];
	for await (const chunk of stream) {
		if (Buffer.isBuffer(chunk)) {
			hash.update(chunk);
			size += chunk.length;
		} else objects.push(chunk);
	}
	if (objects.length === 0) return { size, sha256: hash.digest("hex") };
	return { rows: objects.length, right: isDeepStrictEqual(objects, [...rows(objects.length)]) };
}

const EVENT = ctx => {
	heard.push({ name: ctx.eventName, type: ctx.eventType, groups: ctx.eventGroups, data: ctx.params, ...seen(ctx) });
};

const twin = {
	name: "twin",
	version: 2,
	settings: { page: 3, list: [1, { deep: true }] },
	metadata: { team: "both" },
	actions: {
		get: {
			params: { id: "number|integer|positive", tags: { type: "array", items: "string", optional: true } },
			cache: { keys: ["id"], ttl: 5 },
			timeout: 2500,
			description: "the same in both languages",
			handler: ctx => ctx.params.id
		},
		hidden: { visibility: "private", handler: () => 1 },
		here: { visibility: "protected", handler: () => 1 },
		open: { visibility: "public", rest: "GET /open", handler: () => 1 }
	},
	events: {
		"twin.changed": { group: "twins", params: { id: "number" }, handler() {} },
		"twin.*"() {}
	}
};

const js = {
	name: "js",
	version: 3,
	actions: {
		echo: ctx => ctx.params,
		where: () => options.nodeID,
		seen(ctx) {
			ctx.meta.fromJs = true;
			return seen(ctx);
		},
		fail(ctx) {
			const Class = Errors[ctx.params.name] || global[ctx.params.name];
			throw new Class(...ctx.params.args);
		},
		valid: {
			params: {
				id: "number|integer|positive",
				name: { type: "string", min: 3, trim: true, optional: true },
				tags: { type: "array", items: "string", optional: true },
				$$strict: true
			},
			handler: ctx => ctx.params
		},
		checked: {
			params: {
				$$strict: true,
				id: "number|integer|positive|convert",
				name: { type: "string", trim: true, min: 2, messages: { stringMin: "'{actual}' is short for {field}" } },
				tags: "string[]|optional|max:2",
				at: { $$type: "object|optional", x: "number", y: "number|default:7" }
			},
			handler: ctx => ctx.params
		},
		async slow(ctx) {
			await new Promise(resolve => setTimeout(resolve, ctx.params.ms));
			return "late";
		},
		// fails once on each node
		flaky(ctx) {
			const { key } = ctx.params;
			tries.set(key, (tries.get(key) || 0) + 1);
			if (tries.get(key) === 1) throw new Errors.MoleculerRetryableError("not yet", 503, "NOT_YET");
			return tries.get(key);
		},
		chain(ctx) {
			ctx.meta.chained = (ctx.meta.chained || 0) + 1;
			return ctx.call(ctx.params.action, ctx.params.params);
		},
		give: ctx => source(ctx.params),
		endless: () => Readable.from(endless(), { objectMode: false }),
		async torn(ctx) {
			try {
				for await (const chunk of ctx.stream || ctx.params) void chunk;
			} catch (err) {
				heard.push({ name: "torn", message: err.message });
				throw err;
			}
		},
		take: async ctx => ({ ...(await digest(ctx.stream || ctx.params)), meta: ctx.meta, name: ctx.stream ? ctx.params.name : null })
	},
	events: {
		"to.js.*": EVENT,
		"balanced.js": { group: "workers", handler: EVENT },
		"grouped.js": { group: options.nodeID, handler: EVENT },
		"shared.thing": { group: "shared", handler: EVENT },
		"checked.thing": { params: { id: "number|convert" }, handler: EVENT },
		"deep.js.**": EVENT
	}
};

broker.createService(twin);
broker.createService(js);

const commands = {
	async call(c) {
		const opts = c.opts || {};
		const ok = await broker.call(c.action, c.params, opts);
		return { ok, meta: opts.meta };
	},
	async many(c) {
		const all = await Promise.all(Array.from({ length: c.count }, (_, i) => broker.call(c.action, { i })));
		return { ok: all.every((each, i) => each.i === i) };
	},
	// what a node of ours gives back must be what a MoleculerJS node would get out of the same bytes
	async echo(c) {
		const values = ECHOES();
		const wrong = [];
		for (const [name, value] of Object.entries(values)) {
			const expected = broker.serializer.deserialize(broker.serializer.serialize({ value }, "RES")).value;
			const got = (await broker.call(c.action, { value })).value;
			if (!isDeepStrictEqual(got, expected)) wrong.push({ name, got: String(got), expected: String(expected) });
		}
		return { ok: wrong };
	},
	battery: async c => ({ ok: await battery(value => broker.call(c.action, { value })) }),
	async made(c) {
		const Class = Errors[c.name] || global[c.name];
		return { ok: fieldsOf(new Class(...c.args)) };
	},
	async get(c) {
		return { ok: await digest(await broker.call(c.action, c.params)) };
	},
	async put(c) {
		const stream = source(c.source);
		const opts = { meta: { m: 1 } };
		if (options.version === "014") return { ok: await broker.call(c.action, stream, opts) };
		return { ok: await broker.call(c.action, { name: "n" }, { stream, ...opts }) };
	},
	async torn(c) {
		let got = 0;
		try {
			for await (const _ of await broker.call(c.action, { failing: true })) got++;
		} catch (err) {
			return { ok: { got, error: fieldsOf(err) } };
		}
		return { ok: { got, error: null } };
	},
	emit: async c => ({ ok: await broker.emit(c.event, c.data, c.opts) }),
	broadcast: async c => ({ ok: await broker.broadcast(c.event, c.data, c.opts) }),
	heard: async () => ({ ok: heard.splice(0) }),
	nodes: async () => ({ ok: broker.registry.getNodeList({ onlyAvailable: true }).map(node => node.id) }),
	wait: async c => ({ ok: await broker.waitForServices(c.services, 10000, 20).then(() => true) }),
	ping: async c => ({ ok: await broker.ping(c.node, 2000) }),
	async stop() {
		await broker.stop();
		return { ok: true };
	}
};

function ECHOES() {
	return {
		null: null,
		false: false,
		zero: 0,
		negative: -1.5,
		large: 9007199254740991,
		text: "é 😀 \u0000 \u2028",
		empty: "",
		list: [1, [null, [true]], {}],
		object: { a: { b: { c: [1, 2, { d: null }] } } },
		"bytes": Buffer.from([0, 1, 254, 255]),
		"no bytes": Buffer.alloc(0),
		date: new Date(1700000000123),
		"in a list": [Buffer.from("abc"), new Date(0)]
	};
}

function say(message) {
	process.stdout.write(JSON.stringify(message) + "\n");
}

async function obey(line) {
	const command = JSON.parse(line);
	try {
		say({ n: command.n, ...(await commands[command.do](command)) });
	} catch (err) {
		say({ n: command.n, error: fieldsOf(err) });
	}
	if (command.do === "stop") process.exit(0);
}

broker.start().then(() => {
	say({ ready: true });
	readline.createInterface({ input: process.stdin }).on("line", obey).on("close", () => process.exit(0));
});
