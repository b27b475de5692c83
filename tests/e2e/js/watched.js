/*
 * A MoleculerJS node that measures and traces itself; its twin in Python is watched.py.
 *
 *   node watched.js '{"version": "014"|"015", "part": "one"|"two", "nodeID": ..., "namespace": ..., "url": ...}'
 *
 * One JSON object a line comes in: {"n": 1, "do": "call"|"emit"|"broadcast"|"broadcastLocal"|"wait"|"report"|"stop", ...};
 * one goes out for each: {"n": 1, "ok": ...} or {"n": 1, "error": {...}}. {"ready": true} comes first.
 */
"use strict";

const { version, part, nodeID, namespace, url } = JSON.parse(process.argv[2]);
const { ServiceBroker, Errors } = require(`moleculer-${version}`);
const readline = require("readline");

const wait = ms => new Promise(resolve => setTimeout(resolve, ms));

const broker = new ServiceBroker({
	nodeID,
	namespace,
	transporter: url,
	logger: false,
	heartbeatInterval: 60,
	heartbeatTimeout: 180,
	cacher: "Memory",
	retryPolicy: { enabled: true, retries: 1, delay: 10 },
	circuitBreaker: { enabled: true, minRequestCount: 3, threshold: 0.5, halfOpenTime: 60000 },
	metrics: { enabled: true, reporter: { type: "Event", options: { interval: 0 } } },
	tracing: { enabled: true, events: true, exporter: { type: "Event", options: { interval: 600 } } }
});

const shop = {
	name: "shop",
	version: 2,
	actions: {
		ok: ctx => ctx.params,
		nested: ctx => ctx.call("math.add", ctx.params, { meta: { shop: 1 } }),
		local: ctx => ctx.call("v2.shop.ok", { id: 3 }),
		async custom(ctx) {
			const span = ctx.startSpan("compute", { tags: { rows: 3 } });
			span.log("looked", { at: "index" });
			const sum = await ctx.call("math.add", { a: 1, b: 2 });
			ctx.finishSpan(span);
			await ctx.call("v2.shop.ok", { after: true });
			return sum;
		},
		async tell(ctx) {
			await ctx.emit("order.created", { id: 1 });
			await ctx.broadcast("order.seen", { id: 2 });
			await ctx.emit("order.failed", { id: 3 });
			return null;
		},
		relay: ctx => ctx.call("math.chain", { action: "v2.shop.ok", params: { id: 9 } }),
		failing: ctx => ctx.call("math.fail"),
		tagged: {
			tracing: { tags: { params: ["id"], meta: ["user"], response: true } },
			handler: () => ({ rows: 1 })
		},
		named: {
			tracing: { spanName: "look up", tags: (ctx, res) => ({ id: ctx.params.id, done: res !== undefined }) },
			handler: () => 1
		},
		silent: { tracing: false, handler: ctx => ctx.call("math.add", { a: 1, b: 1 }) },
		guarded: {
			bulkhead: { enabled: true, concurrency: 1, maxQueueSize: 1 },
			handler: () => wait(30)
		},
		fallback: {
			fallback: () => "instead",
			handler() {
				throw new Errors.MoleculerError("no", 422, "NO");
			}
		}
	},
	events: {
		"order.local"(ctx) {
			ctx.meta.seen = true;
		}
	}
};

let flakyCalls = 0;

const math = {
	name: "math",
	actions: {
		add: ctx => ctx.params.a + ctx.params.b,
		fail() {
			throw new Errors.MoleculerClientError("nope", 409, "CONFLICT", { k: 1 });
		},
		crash() {
			throw new TypeError("odd");
		},
		broken() {
			throw new Errors.MoleculerServerError("broken", 500, "BROKEN");
		},
		flaky() {
			flakyCalls++;
			if (flakyCalls === 1) throw new Errors.MoleculerRetryableError("not yet", 503, "NOT_YET");
			return flakyCalls;
		},
		slow: () => wait(200),
		cached: { cache: true, handler: ctx => ctx.params.id },
		chain: ctx => ctx.call(ctx.params.action, ctx.params.params)
	}
};

const mail = {
	name: "mail",
	events: {
		"order.created": { group: "mailers", handler: ctx => ctx.call("math.add", { a: 1, b: 1 }) },
		"order.*"() {},
		"order.failed"() {
			throw new Errors.MoleculerError("no mail", 500, "NO_MAIL");
		}
	}
};

const services = part === "one" ? [shop] : [math, mail];
services.forEach(schema => broker.createService(schema));

const commands = {
	call: async c => ({ ok: await broker.call(c.action, c.params, c.opts || {}) }),
	emit: async c => ({ ok: await broker.emit(c.event, c.data) }),
	broadcast: async c => ({ ok: await broker.broadcast(c.event, c.data) }),
	broadcastLocal: async c => ({ ok: await broker.broadcastLocal(c.event, c.data) }),
	wait: async c => ({ ok: await broker.waitForServices(c.services, 10000, 20).then(() => true) }),
	async report() {
		broker.tracer.exporter[0].flush();
		broker.metrics.reporter[0].sendEvent();
		return { ok: true };
	},
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
		say({ n: command.n, error: { name: err.name, message: err.message } });
	}
	if (command.do === "stop") process.exit(0);
}

broker.start().then(() => {
	say({ ready: true });
	readline.createInterface({ input: process.stdin }).on("line", obey).on("close", () => process.exit(0));
});
