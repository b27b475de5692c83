/*
 * One real MoleculerJS broker, on a clock that is set by hand and a bus that a program plays.
 *
 *   node tolerance.js VERSION(014|015) < program.json > trace.json
 *
 * What a program is: tests/e2e/tolerance.py, which plays it to our node. The trace has one entry for each step.
 */
"use strict";

const clock = require("./manual_clock.js");
const version = process.argv[2];
const { ServiceBroker, Errors, Transporters } = require(`moleculer-${version}`);

const program = JSON.parse(require("fs").readFileSync(0, "utf8"));
const ver = version === "014" ? "4" : "5";

let seen;
const requests = []; // sent and not answered: {id, target, late: when its caller gives up}
const running = []; // handlers of ours that wait: {resolve, reject}
const moods = {};

function fresh() {
	seen = { sent: [], ends: [], starts: [], told: [], answers: [] };
}

class Played extends Transporters.Base {
	connect() {
		return this.onConnected();
	}
	disconnect() {
		return Promise.resolve();
	}
	subscribe() {
		return Promise.resolve();
	}
	send(topic, data) {
		const command = topic.split(".")[1];
		const packet = JSON.parse(data.toString());
		const target = topic.split(".").slice(2).join(".");
		if (command === "REQ") {
			const late = packet.timeout > 0 ? clock.now() + packet.timeout : Infinity;
			requests.push({ id: packet.id, target, late });
			seen.sent.push([clock.now(), target, packet.action, packet.timeout || 0, packet.level]);
		} else if (command === "EVENT") {
			seen.told.push([clock.now(), target, packet.event, packet.data, packet.broadcast]);
		} else if (command === "RES") {
			seen.answers.push([clock.now(), packet.id, packet.success, fields(packet.error)]);
		}
		return Promise.resolve();
	}
}

const bus = new Played();

function hear(command, packet) {
	bus.receive(command, Buffer.from(JSON.stringify({ ver, ...packet })));
}

function fields(err) {
	if (!err) return null;
	const { name, message, code = null, type = null, retryable = false, data = null, nodeID = null } = err;
	return { name, message, code, type, retryable: !!retryable, data, nodeID };
}

function own(name, schema) {
	return {
		...schema,
		timeout: 0,
		handler(ctx) {
			seen.starts.push([clock.now(), name, ctx.params.n]);
			return new Promise((resolve, reject) => running.push({ resolve, reject, n: ctx.params.n }));
		}
	};
}

function raised(outcome) {
	if (outcome.name === "Error") return new Error(outcome.message);
	return new Errors[outcome.name](outcome.message, outcome.code, outcome.type, outcome.data);
}

function picked(list, share) {
	return list.length ? list.splice(Math.floor(share * list.length), 1)[0] : null;
}

function answer(request, outcome) {
	hear("RES", {
		sender: request.target,
		id: request.id,
		meta: {},
		success: !outcome,
		data: outcome ? null : { by: request.target },
		error: outcome ? { nodeID: request.target, ...outcome } : undefined
	});
}

const actions = {};
for (const [name, schema] of Object.entries(program.own || {})) actions[name] = own(name, schema);
const events = {};
for (const [name, schema] of Object.entries(program.ownEvents || {})) {
	events[name] = { ...schema, handler: own(name, {}).handler };
}
const toggled = actions.asked && actions.asked.cache;
if (toggled) toggled.enabled = ctx => ctx.params.use !== false;

const broker = new ServiceBroker({
	nodeID: "us",
	transporter: bus,
	logger: false,
	heartbeatInterval: 0,
	...program.options
});
broker.createService({ name: "own", actions, events });

const steps = {
	call({ n, action, params, opts }) {
		if (opts && opts.fallbackResponse === "FUNCTION") {
			opts.fallbackResponse = (ctx, err) => ({ instead: ctx.action.name, of: err.name });
		}
		broker.call(action, { n, ...params }, opts || {}).then(
			result => seen.ends.push([clock.now(), n, "ok", result === undefined ? null : result]),
			err => seen.ends.push([clock.now(), n, "failed", fields(err)])
		);
	},
	answer({ pick, roll, outcome }) {
		const request = picked(requests, pick);
		if (request) answer(request, roll < (moods[request.target] || 0) ? outcome : null);
	},
	finish({ pick, roll, outcome }) {
		const handler = picked(running, pick);
		if (!handler) return;
		if (roll < (moods.us || 0)) handler.reject(raised(outcome));
		else handler.resolve(outcome.result !== undefined ? outcome.result : { n: handler.n });
	},
	request({ request_id: id, action, params }) {
		hear("REQ", {
			sender: "watch",
			id,
			action,
			params,
			meta: {},
			timeout: 0,
			level: 1,
			tracing: null,
			parentID: null,
			requestID: id,
			caller: null,
			stream: false
		});
	},
	event({ event_id: id, event, data }) {
		hear("EVENT", {
			sender: "watch",
			id,
			event,
			data,
			groups: ["own"],
			broadcast: false,
			meta: {},
			level: 1,
			tracing: null,
			parentID: null,
			requestID: id,
			caller: null,
			needAck: null
		});
	},
	mood({ node, fails }) {
		moods[node] = fails;
	},
	come({ node, seq, services }) {
		hear("INFO", {
			sender: node,
			services,
			config: {},
			ipList: [],
			hostname: node,
			client: {},
			instanceID: `${node}-${seq}`,
			metadata: {},
			seq
		});
	},
	async leave({ node }) {
		const waiting = requests.filter(request => request.target === node);
		for (const request of waiting) requests.splice(requests.indexOf(request), 1);
		for (const request of waiting.slice(1)) {
			answer(request, null);
			await clock.settle();
		}
		hear("DISCONNECT", { sender: node });
	},
	clean: ({ patterns }) => broker.cacher.clean(patterns.length ? patterns : undefined),
	advance: ({ ms }) => clock.advance(ms)
};

function liveEndpoint(nodeID, action) {
	const list = broker.registry.getActionEndpoints(action);
	return (list && list.endpoints.find(ep => ep.id === nodeID)) || null;
}

/** MoleculerJS's breaker holds on to endpoints that are gone: see "endpoint registered anew" in tolerance.py. */
const known = new Set();

function forgetStale() {
	const store = broker.CircuitBreakerStore;
	for (const item of store.values()) known.add(item);
	for (const item of program.keepStale ? [] : known) {
		if (liveEndpoint(item.ep.id, item.ep.action.name) === item.ep) continue;
		clearTimeout(item.cbTimer);
		known.delete(item);
		if (store.get(item.ep.name) === item) store.delete(item.ep.name);
	}
}

/** MoleculerJS waits on for an answer whose caller was content with a retry or a fallback: see "late answers". */
function forgetLate() {
	for (const request of requests) if (clock.now() >= request.late) broker.transit.removePendingRequest(request.id);
}

function states() {
	const found = {};
	for (const item of broker.CircuitBreakerStore.values()) {
		const live = liveEndpoint(item.ep.id, item.ep.action.name);
		const isOpenToAll = live ? live.state : null;
		found[`${item.ep.id}:${item.ep.action.name}`] = [item.state, item.count, item.failures, isOpenToAll];
	}
	return found;
}

function keys() {
	if (!broker.cacher) return [];
	const { cache } = broker.cacher;
	// an LRU cache of 0.14 tells of those whose time is over, one of 0.15 does not
	return [...cache.keys()].filter(key => cache.has(key));
}

async function play() {
	fresh();
	let isStarted = false;
	broker.start().then(() => (isStarted = true));
	for (let i = 0; i < 10; i++) await clock.advance(100);
	if (!isStarted) throw new Error("the broker did not start");
	const trace = [];
	for (const step of program.steps) {
		fresh();
		// waiting for it would never end: what it waits for may be a later step
		const done = steps[step.do](step);
		if (step.do === "advance" || step.do === "leave") await done;
		await clock.settle();
		forgetStale();
		forgetLate();
		seen.ends.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
		seen.states = states();
		seen.keys = keys().sort();
		trace.push(seen);
	}
	process.stdout.write(JSON.stringify(trace), () => process.exit(0));
}

play();
