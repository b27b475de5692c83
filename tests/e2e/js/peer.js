/*
 * A MoleculerJS node for tests, driven over its standard input and output.
 *
 *   node peer.js VERSION(014|015) NODE_ID NAMESPACE REDIS_URL SERIALIZER [TRANSMIT]
 *
 * TRANSMIT is JSON: [["Compression", {...}], ["Encryption", password, algorithm, iv]], in the order of middlewares.
 *
 * DISCOVERER in the environment is MoleculerJS's registry.discoverer.
 *
 * One JSON object a line comes in: {"n": 1, "do": "call"|"emit"|"broadcast"|"drain"|"heard"|"battery"|"wait"|"stop", ...};
 * one goes out for each: {"n": 1, "ok": ...} or {"n": 1, "error": {...}}. {"ready": true} comes first.
 */
"use strict";

const [version, nodeID, namespace, url, serializer, transmit] = process.argv.slice(2);
const { ServiceBroker, Errors, Middlewares } = require(`moleculer-${version}`);
const { battery } = require("./battery");
const { Readable } = require("stream");
const readline = require("readline");

const heard = [];

const broker = new ServiceBroker({
	nodeID,
	namespace,
	transporter: url,
	serializer,
	logger: false,
	heartbeatInterval: 2,
	heartbeatTimeout: 6,
	retryPolicy: { enabled: true, retries: 2, delay: 20, factor: 1 },
	metadata: { kind: "js" },
	middlewares: JSON.parse(transmit || "[]").map(([name, ...rest]) => Middlewares.Transmit[name](...rest)),
	registry: { discoverer: process.env.DISCOVERER || "Local" }
});

let flakyCalls = 0;

async function* endless() {
	for (;;) {
		yield Buffer.alloc(1000, "e");
		await new Promise(resolve => setTimeout(resolve, 5));
	}
}

function seen(ctx) {
	return {
		id: ctx.id,
		level: ctx.level,
		requestID: ctx.requestID,
		parentID: ctx.parentID,
		caller: ctx.caller,
		nodeID: ctx.nodeID,
		meta: ctx.meta,
		headers: ctx.headers,
		timeout: ctx.options.timeout
	};
}

function incoming(ctx) {
	return ctx.stream || ctx.params;
}

async function* rows(n, failing) {
	for (let i = 0; i < n; i++) yield { i };
	if (failing) throw new Errors.MoleculerError("torn", 500, "TORN", { n });
}

broker.createService({
	name: "js",
	version: 3,
	settings: { page: 1 },
	metadata: { team: "js" },
	actions: {
		echo: ctx => ctx.params,
		seen: {
			params: { a: "number|optional" },
			cache: { keys: ["a"], ttl: 5 },
			handler(ctx) {
				ctx.meta.fromJs = true;
				return seen(ctx);
			}
		},
		fail(ctx) {
			const Class = Errors[ctx.params.name];
			if (!Class) throw new TypeError(ctx.params.message);
			throw new Class(ctx.params.message, ctx.params.code, ctx.params.type, ctx.params.data);
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
		valid: { params: { id: "number|integer|positive" }, handler: ctx => ctx.params.id },
		async slow(ctx) {
			await new Promise(resolve => setTimeout(resolve, ctx.params.ms));
			return "late";
		},
		flaky() {
			flakyCalls++;
			if (flakyCalls % 3 !== 0) throw new Errors.MoleculerRetryableError("not yet", 503, "NOT_YET");
			return flakyCalls;
		},
		async chain(ctx) {
			ctx.meta.chained = (ctx.meta.chained || 0) + 1;
			return ctx.call(ctx.params.action, ctx.params.params, ctx.params.opts);
		},
		rows: ctx => Readable.from(rows(ctx.params.n, ctx.params.failing), { objectMode: true }),
		bytes: ctx => Readable.from([Buffer.alloc(ctx.params.n, "a")], { objectMode: false }),
		endless: () => Readable.from(endless(), { objectMode: false }),
		async torn(ctx) {
			try {
				for await (const chunk of incoming(ctx)) void chunk;
			} catch (err) {
				heard.push({ name: "torn", message: err.message });
				throw err;
			}
		},
		async size(ctx) {
			let size = 0;
			for await (const chunk of incoming(ctx)) size += chunk.length;
			return { size, name: ctx.stream ? ctx.params.name : null, meta: ctx.meta };
		},
		async list(ctx) {
			const all = [];
			for await (const row of incoming(ctx)) all.push(row);
			return all;
		},
		tell: ctx => ctx.emit(ctx.params.event, ctx.params.data)
	},
	events: {
		"py.*"(ctx) {
			heard.push({ name: ctx.eventName, type: ctx.eventType, data: ctx.params, ...seen(ctx) });
		},
		"checked.thing": {
			params: { id: "number|convert" },
			handler(ctx) {
				heard.push({ name: ctx.eventName, data: ctx.params });
			}
		},
		"grouped.thing": {
			group: "shared",
			handler(ctx) {
				heard.push({ name: ctx.eventName, type: ctx.eventType, data: ctx.params, ...seen(ctx) });
			}
		}
	}
});

async function drain(action, params, opts) {
	const out = [];
	let size = 0;
	for await (const chunk of await broker.call(action, params, opts)) {
		if (Buffer.isBuffer(chunk)) size += chunk.length;
		else out.push(chunk);
	}
	return { rows: out, size };
}

function send(action, command) {
	const source = command.rows
		? Readable.from(command.rows, { objectMode: true })
		: Readable.from([Buffer.alloc(command.bytes, "b")], { objectMode: false });
	if (version === "014") return broker.call(action, source, { meta: command.meta });
	return broker.call(action, command.params, { stream: source, meta: command.meta });
}

const commands = {
	async call(c) {
		const opts = c.opts || {};
		const ok = await broker.call(c.action, c.params, opts);
		return { ok, meta: opts.meta };
	},
	async many(c) {
		const all = await Promise.all(Array.from({ length: c.count }, (_, i) => broker.call(c.action, { i })));
		return { ok: all.length };
	},
	drain: async c => ({ ok: await drain(c.action, c.params, c.opts) }),
	send: async c => ({ ok: await send(c.action, c) }),
	emit: async c => ({ ok: await broker.emit(c.event, c.data, c.opts) }),
	broadcast: async c => ({ ok: await broker.broadcast(c.event, c.data, c.opts) }),
	heard: async () => ({ ok: heard.splice(0) }),
	battery: async c => ({ ok: await battery(value => broker.call(c.action, { value })) }),
	wait: async c => ({ ok: await broker.waitForServices(c.services, 10000, 20).then(() => true) }),
	ping: async c => ({ ok: await broker.ping(c.node, 2000) }),
	async stop() {
		await broker.stop();
		return { ok: true };
	}
};

function say(message) {
	process.stdout.write(JSON.stringify(message) + "\n");
}

async function obey(line) {
	const command = JSON.parse(line);
	try {
		say({ n: command.n, ...(await commands[command.do](command)) });
	} catch (err) {
		const { name, message, code, type, data, retryable, nodeID: origin } = err;
		say({ n: command.n, error: { name, message, code, type, data, retryable, nodeID: origin } });
	}
	if (command.do === "stop") process.exit(0);
}

broker.start().then(() => {
	say({ ready: true });
	readline.createInterface({ input: process.stdin }).on("line", obey).on("close", () => process.exit(0));
});
