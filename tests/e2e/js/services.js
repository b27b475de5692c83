"use strict";
// The services of the test mesh. Each way a call can go has an action of its own.
const { createHash } = require("crypto");
const { Readable } = require("stream");

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
// a spread of durations that is the same in every run
const pace = id => 2 + ((Number(id) * 7) % 23);

function orders() {
	return {
		name: "orders",
		version: 2,
		actions: {
			get: {
				params: { id: "number" },
				cache: { keys: ["id"], ttl: 5 },
				async handler(ctx) {
					await sleep(pace(ctx.params.id));
					return { id: ctx.params.id, user: await ctx.call("users.get", { id: ctx.params.id }) };
				}
			},
			// three deep: orders, payments, users
			async create(ctx) {
				const { id } = ctx.params;
				const paid = await ctx.call("payments.charge", { id });
				await ctx.emit("order.created", { id, paid });
				await ctx.broadcast("stock.changed", { id });
				return { id, paid };
			}
		}
	};
}

function users(version, Errors) {
	return {
		name: "users",
		settings: { rest: "/users" },
		actions: {
			get: {
				params: { id: { type: "number", integer: true } },
				async handler(ctx) {
					await sleep(pace(ctx.params.id));
					return { id: ctx.params.id, name: `User ${ctx.params.id}`, born: new Date(0) };
				}
			},
			// longer than its caller waits
			async slow(ctx) {
				await sleep(ctx.params.ms);
				return "late";
			},
			unicode: ctx => ({ cut: "caf\ud83d", whole: "caf\u{1F600}", text: ctx.params.text }),
			missing(ctx) {
				throw new Errors.MoleculerClientError("No such user", 404, "USER_NOT_FOUND", { id: ctx.params.id });
			}
		}
	};
}

function payments(version, Errors) {
	const tries = new Map();
	return {
		name: "payments",
		actions: {
			async charge(ctx) {
				const user = await ctx.call("users.get", { id: ctx.params.id });
				await sleep(3);
				return { user: user.id, receipt: Buffer.from(`receipt ${ctx.params.id}`) };
			},
			refuse(ctx) {
				throw new Errors.MoleculerClientError("Card refused", 402, "CARD_REFUSED", { card: ctx.params.card });
			},
			crash() {
				throw new Error("Cannot read properties of undefined");
			},
			// fails once on each node, and may be tried again
			flaky(ctx) {
				const before = tries.get(ctx.params.key) || 0;
				tries.set(ctx.params.key, before + 1);
				if (before < 1) throw new Errors.MoleculerRetryableError("Try again", 503, "BUSY", { before });
				return { before };
			},
			// its own call times out: an error here, a timeout there
			impatient: ctx => ctx.call("users.slow", { ms: 250 }, { timeout: 60 })
		}
	};
}

function mail() {
	return {
		name: "mail",
		actions: { send: ctx => ({ sent: ctx.params.to }) },
		events: {
			"order.created"() {},
			"stock.*"() {}
		}
	};
}

function audit() {
	return { name: "audit", actions: { count: () => 0 }, events: { "order.*": { group: "auditors", handler() {} } } };
}

function files() {
	return {
		name: "files",
		actions: {
			read(ctx) {
				const parts = Array.from({ length: ctx.params.parts }, (_, i) => Buffer.alloc(50, 97 + (i % 26)));
				return Readable.from(parts, { objectMode: false });
			},
			// byte i is i modulo 251
			bytes(ctx) {
				const part = Buffer.from(Array.from({ length: 251 * 400 }, (_, i) => i % 251));
				const parts = Math.floor(ctx.params.bytes / part.length);
				const rest = part.subarray(0, ctx.params.bytes % part.length);
				return Readable.from([...Array(parts).fill(part), rest], { objectMode: false });
			},
			async digest(ctx) {
				const hash = createHash("sha256");
				for await (const part of ctx.stream || ctx.params) hash.update(part);
				return { sha256: hash.digest("hex") };
			},
			rows: ctx => Readable.from(Array.from({ length: ctx.params.rows }, (_, row) => ({ row }))),
			async write(ctx) {
				let size = 0;
				// in 0.14 the stream comes as params
				for await (const part of ctx.stream || ctx.params) size += part.length;
				return { size };
			}
		}
	};
}

// what calls others from inside a service: there, the caller has a name
function desk() {
	return {
		name: "desk",
		actions: {
			look: ctx => ctx.call("users.get", { id: ctx.params.id }),
			order: ctx => ctx.call("v2.orders.get", { id: ctx.params.id })
		}
	};
}

const SERVICES = { orders, users, payments, mail, audit, files, desk };

function serviceNamed(name, version, Errors) {
	if (!SERVICES[name]) throw new Error(`service is '${name}', expected one of ${Object.keys(SERVICES).join(", ")}`);
	return SERVICES[name](version, Errors);
}

module.exports = { serviceNamed };
