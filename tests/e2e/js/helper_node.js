/*
 * A MoleculerJS node that runs Meshscope's helper, calls others again and again, and remembers what it sent.
 *
 *   node helper_node.js '{"version": "014"|"015", "nodeID": …, "namespace": …, "url": …, "serves": true|false,
 *                         "secret": text|null, "secretIn": "environment"|"settings", "breaker": {…}}'
 *
 * One JSON object a line comes in: {"n": 1, "do": "call", ...}; one goes out for each: {"n": 1, "ok": ...}
 * or {"n": 1, "error": {...}}. {"ready": true} comes first.
 */
"use strict";

const path = require("path");
const readline = require("readline");

const options = JSON.parse(process.argv.pop()); // so that $node.health does not show the secret among them
const { ServiceBroker, Errors, Loggers } = require(`moleculer-${options.version}`);
const FOLDER = path.join(__dirname, "..", "..", "..", "resources", "agent");
const wait = ms => new Promise(resolve => setTimeout(resolve, ms));

delete process.env.MESHSCOPE_SECRET;
if (options.secret && options.secretIn !== "settings") process.env.MESHSCOPE_SECRET = options.secret;

const sent = []; // of the traffic: {action, target, at_ms, outcome}
const results = []; // of the traffic, after all attempts
const said = []; // lines of the helper's own log: {level, text}

class Kept extends Loggers.Base {
	getLogHandler(bindings) {
		if (!bindings || bindings.svc !== "$meshscope") return null;
		return (level, args) => level === "debug" || said.push({ level, text: args.map(String).join(" ") });
	}
}

const remembering = {
	name: "Remembering",
	remoteAction: (next, action) => ctx => {
		if (action.name.startsWith("$")) return next(ctx);
		const entry = { action: action.name, target: ctx.nodeID, at_ms: Date.now(), outcome: "" };
		sent.push(entry);
		return next(ctx).then(
			result => {
				entry.outcome = "ok";
				return result;
			},
			error => {
				entry.outcome = error.name;
				throw error;
			}
		);
	}
};

const { hostname, port } = new URL(options.url);
const broker = new ServiceBroker({
	nodeID: options.nodeID,
	namespace: options.namespace,
	// ioredis's ready check asks INFO of a connection that subscribes meanwhile, and ends the process
	transporter: { type: "Redis", options: { host: hostname, port: Number(port), enableReadyCheck: false } },
	logger: new Kept({ level: "info" }),
	heartbeatInterval: 1,
	heartbeatTimeout: 120,
	retryPolicy: { enabled: true, retries: 0, delay: 1, factor: 1 },
	circuitBreaker: { enabled: true, ...options.breaker },
	metrics: { enabled: true, reporter: [] },
	middlewares: [remembering],
	skipProcessEventRegistration: true
});

let isFailing = false;

if (options.serves) {
	broker.createService({
		name: "bank",
		version: 2,
		actions: {
			transfer() {
				if (isFailing) throw new Errors.MoleculerServerError("the vault is shut", 500, "SHUT");
				return options.nodeID;
			},
			plain: { circuitBreaker: { enabled: false }, handler: () => options.nodeID }
		}
	});
}

function addHelper() {
	const helper = require(path.join(FOLDER, "meshscope.service.js"));
	if (options.secretIn !== "settings") return broker.loadServices(FOLDER);
	return broker.createService({ mixins: [helper], settings: { secret: options.secret } });
}
addHelper();

let calling = 0; // the traffic that is wanted now; an older one ends

async function callAgain(action, opts, gap_ms, traffic) {
	while (calling === traffic) {
		results.push(
			await broker.call(action, {}, { ...opts }).then(
				() => "ok",
				error => error.name
			)
		);
		await wait(gap_ms);
	}
}

const commands = {
	call: async c => ({ ok: await broker.call(c.action, c.params, c.opts || {}) }),
	async traffic({ action, workers = 3, gap_ms = 2, retries = 0, timeout = 2000 }) {
		calling++;
		sent.length = results.length = 0;
		for (let i = 0; i < workers; i++) callAgain(action, { retries, timeout }, gap_ms, calling);
		return { ok: true };
	},
	async rest() {
		calling++;
		return { ok: true };
	},
	sent: async c => ({ ok: sent.slice(c.after) }),
	results: async () => ({ ok: results }),
	said: async () => ({ ok: said }),
	async failing(c) {
		isFailing = c.on;
		return { ok: true };
	},
	async removeHelper() {
		await broker.destroyService("$meshscope");
		return { ok: true };
	},
	async addHelper() {
		addHelper();
		return { ok: true };
	},
	async stop() {
		calling++;
		await broker.stop();
		return { ok: true };
	}
};

const say = message => process.stdout.write(JSON.stringify(message) + "\n");

async function obey(text) {
	const command = JSON.parse(text);
	try {
		say({ n: command.n, ...(await commands[command.do](command)) });
	} catch (error) {
		say({ n: command.n, error: { name: error.name, message: error.message, code: error.code } });
	}
	if (command.do === "stop") process.exit(0);
}

broker.start().then(() => {
	say({ ready: true });
	readline.createInterface({ input: process.stdin }).on("line", obey).on("close", () => process.exit(0));
});
