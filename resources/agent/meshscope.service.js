"use strict";
/*
 * Meshscope's helper for MoleculerJS 0.14 and 0.15: drop it among a node's services.
 *
 * It tells what the circuit breakers of this node do, and lets an operator trip, hold, release and reset them, one
 * endpoint (a node and an action) at a time. Commands are taken only with a signature made with the secret that both
 * sides know: MESHSCOPE_SECRET in the environment, or `settings.secret`. Without a secret it only tells.
 * docs/helper.md of Meshscope says how to install it, and what is on the wire.
 */
const crypto = require("crypto");
const { performance } = require("perf_hooks");

const PROGRAM = "meshscope.service.js 1";
const SERVICE = "$meshscope";
const TELLS = "$meshscope.breakers";

const SECOND = 1000;
const LOOK_MS = SECOND; // between looks at what no event tells
const TELL_MS = 10 * SECOND; // between lists, if nothing changes
const GAP_MS = 200; // between lists, if much changes
const GAP_HELPERS = 20; // more helpers leave longer gaps
const PACKETS_A_SECOND = 30; // of all helpers together, if nothing changes
const HELPERS_TOLD = 2; // for a tap one would do; whoever is no helper is told always
const TOLD_BYTES = 128 * 1024; // of a list in an event
const MOVED_BYTES = 16 * 1024; // of one between, when something moved: enough for what is not closed
const ASKED_BYTES = 768 * 1024; // of a list in an answer; NATS carries 1 MB
const LEFT_MS = 25; // for what had its endpoint before the hold, and is still on its way out
const CLOCKS_MS = 30 * SECOND; // how far apart the operator's clock and ours may be
const NONCE_MS = 2 * CLOCKS_MS + SECOND; // a command made ahead of us is good for that long
const NONCES = 10000;
const NOTES = 5000;
const HOLDS = 5000;
const LONGEST_MS = 24 * 3600 * SECOND;
const COMMAND_LENGTH = 16384;
const WARN_MS = 10 * SECOND; // between warnings of one cause

const VERBS = ["trip", "hold", "release", "reset"];
// MoleculerJS's own words for a breaker's state; "half_open_wait": one call is out to try
const WORDS = { close: "closed", open: "open", half_open: "half-open", half_open_wait: "half-open" };
const OPENED_ACTIVE = "moleculer.circuit-breaker.opened.active";
const OPENED_TOTAL = "moleculer.circuit-breaker.opened.total";
const HALF_OPENED_ACTIVE = "moleculer.circuit-breaker.half-opened.active";

const isText = value => typeof value === "string" && value !== "";
const isObject = value => typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = value => typeof value === "number" && Number.isFinite(value);
// what goes into a log or a list is one line, and short
const line = (value, length) => (isText(value) ? value.slice(0, length).replace(/[\p{C}\u2028\u2029]/gu, " ") : "");
const keyOf = (node, action) => JSON.stringify([node, action]);
const whyOf = ({ by, reason }) => `by ${line(by, 200) || "somebody"}${isText(reason) ? `: ${line(reason, 500)}` : ""}`;
const isOver = hold => hold.leftMs() <= 0;

// The breaker must go on without us, whatever happens here.
function quietly(act, logger) {
	try {
		Promise.resolve(act()).catch(error => logger.debug("Meshscope's helper", error));
	} catch (error) {
		logger.debug("Meshscope's helper", error);
	}
}

/* A command that is not carried out: why, in a word and for people. */
class No extends Error {
	constructor(outcome, cause, message) {
		super(message);
		this.outcome = outcome;
		this.cause = cause;
	}
}

const refused = (cause, message) => new No("refused", cause, message);

/* Lets commands in that were signed with our secret, for this node, just now, and for the first time. */
class Gate {
	#secret; // private: whoever prints a service does not print it

	constructor(secret, broker) {
		this.#secret = secret;
		this.broker = broker;
		this.nonces = new Map(); // nonce -> when it may be forgotten; oldest first
		this.counts = { unsigned: 0, signature: 0, replayed: 0, late: 0, elsewhere: 0, malformed: 0 };
	}

	get hasSecret() {
		return this.#secret !== "";
	}

	// Returns the command, or throws a No.
	check(params, now) {
		const { command, signature } = isObject(params) ? params : {};
		if (!isText(command) || command.length > COMMAND_LENGTH)
			throw refused("malformed", `'command' is no text of 1 to ${COMMAND_LENGTH} characters`);
		if (!isText(signature)) throw refused("unsigned", "the command carries no signature");
		if (!this.hasSecret) throw refused("no-secret", "this node has no MESHSCOPE_SECRET: its helper only tells");
		if (!this.isSigned(command, signature))
			throw refused("signature", "the signature was not made with the secret of this node");
		const said = this.parse(command);
		this.checkAddress(said);
		if (Math.abs(now - said.time) > CLOCKS_MS) {
			const off = ((said.time - now) / SECOND).toFixed(1);
			throw refused("late", `the command's time is ${off} s off this node's clock, expected 30 s at most`);
		}
		this.checkNonce(said.nonce, now);
		return said;
	}

	isSigned(command, signature) {
		if (!/^[0-9a-f]{64}$/i.test(signature)) return false;
		const expected = crypto.createHmac("sha256", this.#secret).update(Buffer.from(command, "utf8")).digest();
		return crypto.timingSafeEqual(expected, Buffer.from(signature, "hex"));
	}

	parse(command) {
		let said;
		try {
			said = JSON.parse(command);
		} catch (error) {
			throw refused("malformed", "'command' is no JSON");
		}
		if (!isObject(said)) throw refused("malformed", "'command' is no JSON object");
		if (!VERBS.includes(said.verb)) throw refused("malformed", `'verb' is none of ${VERBS.join(", ")}`);
		if (!isObject(said.endpoint) || !isText(said.endpoint.node) || !isText(said.endpoint.action))
			throw refused("malformed", "'endpoint' does not name a node and an action");
		if (!isCount(said.time)) throw refused("malformed", "'time' is no number of milliseconds");
		if (!isText(said.nonce) || said.nonce.length < 16 || said.nonce.length > 128)
			throw refused("malformed", "'nonce' is no 32 hexadecimal digits");
		return said;
	}

	checkAddress({ namespace, node, instance }) {
		const ours = this.broker;
		if (namespace !== (ours.namespace || "")) throw refused("elsewhere", "the command is for another namespace");
		if (node !== ours.nodeID) throw refused("elsewhere", `the command is for another node than ${ours.nodeID}`);
		if (instance !== ours.instanceID)
			throw refused("elsewhere", `the command is for another run of ${ours.nodeID}: it was restarted meanwhile`);
	}

	checkNonce(nonce, now) {
		for (const [old, until] of this.nonces) {
			if (until > now) break;
			this.nonces.delete(old);
		}
		if (this.nonces.has(nonce)) throw refused("replayed", "this command came before");
		// to forget one would let it be replayed
		if (this.nonces.size >= NONCES) throw refused("late", `${NONCES} commands came within a minute: try later`);
		this.nonces.set(nonce, now + NONCE_MS);
	}

	count(cause) {
		if (cause in this.counts) this.counts[cause]++;
	}
}

/* What this node's registry knows of endpoints. */
class Endpoints {
	constructor(broker) {
		this.broker = broker;
	}

	// Those of an action on a node that calls go to now; two, where two services offer the same action.
	of(node, action) {
		const list = this.broker.registry.getActionEndpoints(action);
		return list ? list.endpoints.filter(endpoint => endpoint.id === node) : [];
	}

	has(endpoint) {
		const list = this.broker.registry.getActionEndpoints(endpoint.action.name);
		return Boolean(list) && list.endpoints.includes(endpoint);
	}

	*all() {
		for (const [action, list] of this.broker.registry.actions.actions) {
			if (!action.startsWith("$")) for (const endpoint of list.endpoints) yield endpoint;
		}
	}
}

/*
 * Endpoints that are kept open or closed by hand. A held endpoint's `state`, which the balancer reads, is an accessor:
 * it gives what the hold says, and keeps what the breaker writes for the time after.
 */
class Holds {
	constructor(endpoints, ended) {
		this.endpoints = endpoints;
		this.ended = ended; // (hold) => called when one ends by its time
		this.held = new Map(); // key -> hold
		this.pins = new WeakMap(); // endpoint -> { natural }
	}

	find(node, action) {
		const hold = this.held.get(keyOf(node, action));
		if (hold && isOver(hold)) {
			this.expire(hold);
			return undefined;
		}
		return hold;
	}

	begin(endpoint, { state, for_ms, by, reason }) {
		const key = keyOf(endpoint.id, endpoint.action.name);
		if (!this.held.has(key) && this.held.size >= HOLDS) throw new No("failed", "", `${HOLDS} holds are in force`);
		this.end(this.held.get(key));
		const [since, begun] = [Date.now(), performance.now()];
		const hold = {
			key,
			id: crypto.randomBytes(8).toString("hex"),
			node: endpoint.id,
			action: endpoint.action.name,
			service: endpoint.service.fullName,
			state,
			by,
			reason,
			since,
			until: since + for_ms,
			pinned: new Set(),
			// a clock that is set back must not make it longer
			leftMs: () => for_ms - Math.max(Date.now() - since, performance.now() - begun)
		};
		this.held.set(key, hold);
		this.pin(hold);
		this.wait(hold);
		return hold;
	}

	wait(hold) {
		// timers may fire early
		hold.timer = setTimeout(() => (isOver(hold) ? this.expire(hold) : this.wait(hold)), Math.max(1, hold.leftMs()));
		hold.timer.unref();
	}

	expire(hold) {
		this.end(hold);
		this.ended(hold);
	}

	end(hold) {
		if (!hold) return;
		clearTimeout(hold.timer);
		this.held.delete(hold.key);
		for (const endpoint of hold.pinned) this.unpin(endpoint);
		hold.pinned.clear();
	}

	endAll() {
		for (const hold of [...this.held.values()]) this.end(hold);
	}

	// A node that comes back has new endpoints.
	pinAll() {
		for (const hold of this.held.values()) this.pin(hold);
	}

	pin(hold) {
		const live = this.endpoints.of(hold.node, hold.action);
		for (const endpoint of hold.pinned) {
			if (live.includes(endpoint)) continue;
			this.unpin(endpoint);
			hold.pinned.delete(endpoint);
		}
		for (const endpoint of live) {
			if (hold.pinned.has(endpoint)) continue;
			const pin = { natural: endpoint.state };
			this.pins.set(endpoint, pin);
			hold.pinned.add(endpoint);
			Object.defineProperty(endpoint, "state", {
				configurable: true,
				enumerable: true,
				get: () => (isOver(hold) ? pin.natural : hold.state === "closed"),
				set: value => (pin.natural = value)
			});
		}
	}

	unpin(endpoint) {
		const value = this.natural(endpoint);
		this.pins.delete(endpoint);
		Object.defineProperty(endpoint, "state", { configurable: true, enumerable: true, writable: true, value });
	}

	// What the breaker wants of it.
	natural(endpoint) {
		const pin = this.pins.get(endpoint);
		return pin ? pin.natural : endpoint.state;
	}
}

/*
 * The breakers of this node: items of MoleculerJS's own store, and when and why each came to be as it is.
 * An item is { ep, service, opts, count, failures, state, cbTimer }; it is made at the first call.
 */
class Breakers {
	constructor(broker, endpoints, holds) {
		this.broker = broker;
		this.endpoints = endpoints;
		this.holds = holds;
		this.notes = new Map(); // the store's key -> { word, available, since, reason }, of those that ever moved
		this.tripped = new Set(); // items that are open by our hand, with our timer
		this.sweeps = 0;
	}

	// None, where the middleware is left out or the broker has stopped.
	get store() {
		return this.broker.CircuitBreakerStore || new Map();
	}

	item(node, action) {
		const item = this.store.get(`${node}:${action}`);
		return item && item.ep.id === node && item.ep.action.name === action ? item : undefined;
	}

	options(endpoint) {
		const own = endpoint ? endpoint.action.circuitBreaker : null;
		const options = Object.assign({}, this.broker.options.circuitBreaker, own);
		options.enabled = Boolean(options.enabled && this.broker.CircuitBreakerStore);
		return options;
	}

	word(item, endpoint) {
		if (item) return WORDS[item.state] || String(item.state);
		// the breaker's window has forgotten it while it was open
		return endpoint && this.holds.natural(endpoint) === false ? "open" : "closed";
	}

	// ---- what an operator does

	trip(endpoint, why) {
		const options = this.options(endpoint);
		const item = this.item(endpoint.id, endpoint.action.name) || this.make(endpoint, options);
		this.move(item, "open", false);
		this.tripped.add(item);
		item.cbTimer = setTimeout(() => quietly(() => this.halfOpen(item), this.broker.logger), item.opts.halfOpenTime);
		item.cbTimer.unref();
		const rate = item.count > 0 ? item.failures / item.count : 0;
		this.tell("opened", item, { failures: item.failures, count: item.count, rate }, why);
		this.measure(item, { [OPENED_ACTIVE]: 1, [OPENED_TOTAL]: "+" });
	}

	make(endpoint, opts) {
		const service = endpoint.local ? endpoint.action.service : endpoint.service;
		const item = { ep: endpoint, service, opts, count: 0, failures: 0, state: "close", cbTimer: null };
		this.store.set(endpoint.name, item);
		return item;
	}

	// After our trip, as MoleculerJS does after its own; the next call is its.
	halfOpen(item) {
		if (!this.tripped.delete(item) || item.state !== "open") return;
		const current = this.store.get(item.ep.name);
		if (current && current !== item && current.state !== "close") return;
		if (this.broker.CircuitBreakerStore) this.store.set(item.ep.name, item);
		this.move(item, "half_open", true);
		this.tell("half-opened", item, {}, "");
		this.measure(item, { [OPENED_ACTIVE]: 0, [HALF_OPENED_ACTIVE]: 1 });
	}

	reset(node, action, why) {
		const item = this.item(node, action);
		if (!item) {
			for (const endpoint of this.endpoints.of(node, action)) endpoint.state = true;
			return;
		}
		const moves = item.state !== "close";
		item.count = item.failures = 0;
		this.tripped.delete(item);
		this.move(item, "close", true);
		if (!moves) return;
		this.tell("closed", item, {}, why);
		this.measure(item, { [OPENED_ACTIVE]: 0, [HALF_OPENED_ACTIVE]: 0 });
	}

	move(item, state, isAvailable) {
		clearTimeout(item.cbTimer);
		item.cbTimer = null;
		item.state = state;
		const live = this.endpoints.of(item.ep.id, item.ep.action.name);
		if (live.length > 0 && !live.includes(item.ep)) item.ep = live[0]; // it was of an earlier run of that node
		for (const endpoint of new Set([item.ep, ...live])) endpoint.state = isAvailable;
	}

	tell(what, item, more, why) {
		const at = { nodeID: item.ep.id, service: item.service.fullName, action: item.ep.action.name };
		quietly(() => this.broker.broadcast(`$circuit-breaker.${what}`, { ...at, ...more }), this.broker.logger);
		this.note(item.ep.name, this.word(item), this.holds.natural(item.ep), why);
	}

	measure(item, values) {
		const { metrics } = this.broker;
		if (!this.broker.isMetricsEnabled()) return;
		const labels = { affectedNodeID: item.ep.id, service: item.service.fullName, action: item.ep.action.name };
		for (const [name, value] of Object.entries(values)) {
			// they are not there where only an action has a breaker
			if (!metrics.getMetric(name)) continue;
			if (value === "+") metrics.increment(name, labels);
			else metrics.set(name, value, labels);
		}
	}

	// ---- what we notice

	note(name, word, available, reason) {
		this.notes.delete(name);
		if (this.notes.size >= NOTES) this.notes.delete(this.notes.keys().next().value);
		this.notes.set(name, { word, available, since: Date.now(), reason });
	}

	heard(what, { nodeID, action, failures, count }) {
		const item = this.item(nodeID, action);
		if (!item) return;
		const reasons = { opened: `${failures} of ${count} failed`, closed: "the trial call was answered" };
		this.note(item.ep.name, this.word(item), this.holds.natural(item.ep), reasons[what] || "");
	}

	// Notice what no event told. Returns whether anything moved.
	look() {
		if (this.sweeps > 0 && this.sweeps--) this.sweep();
		const store = this.store;
		for (const item of this.tripped) {
			if (item.state !== "open") this.tripped.delete(item);
			// the breaker's window forgets items without calls, open ones too
			else if (!store.has(item.ep.name)) store.set(item.ep.name, item);
		}
		let moved = false;
		for (const [name, item] of store) {
			const note = this.notes.get(name);
			if (!note && item.state === "close") continue;
			const [word, available] = [this.word(item), this.holds.natural(item.ep)];
			if (note && note.word === word && note.available === available) continue;
			if (note && note.word === word) note.available = available;
			else this.note(name, word, available, "");
			moved = true;
		}
		for (const name of this.notes.keys()) {
			if (store.has(name)) continue;
			this.notes.delete(name);
			moved = true;
		}
		return moved;
	}

	// Endpoints came or went, and calls to those that went end in the next moments.
	changed() {
		this.sweep();
		this.sweeps = 5;
	}

	/*
	 * An item whose endpoint is gone would be used again for the one that comes after it, and could never keep a call
	 * away from that. The new endpoint begins with a new item.
	 */
	sweep() {
		for (const [name, item] of this.store) {
			// service.actions.x() has endpoints of its own, which are in no registry
			const isPrivate = item.ep.local && item.ep.service === item.service;
			if (isPrivate || this.endpoints.has(item.ep)) continue;
			clearTimeout(item.cbTimer);
			this.store.delete(name);
			this.tripped.delete(item);
			if (item.state !== "close") this.measure(item, { [OPENED_ACTIVE]: 0, [HALF_OPENED_ACTIVE]: 0 });
		}
	}

	// Those that we tripped would stay open without us.
	leave() {
		for (const item of [...this.tripped]) this.halfOpen(item);
	}

	// ---- what we tell

	// A breaker as it is told; null where there is neither an endpoint in the registry nor a hold that waits for it.
	describe(node, action) {
		const live = this.endpoints.of(node, action);
		const item = this.item(node, action);
		const hold = this.holds.find(node, action);
		const endpoint = live[0];
		if (!endpoint && !hold) return null;
		const options = item ? Object.assign(this.options(endpoint), item.opts) : this.options(endpoint);
		const note = this.notes.get(`${node}:${action}`);
		const word = this.word(item, endpoint);
		const halfOpenMs = isCount(options.halfOpenTime) ? options.halfOpenTime : 0;
		return {
			node,
			action,
			service: endpoint ? endpoint.service.fullName : hold.service,
			local: node === this.broker.nodeID,
			enabled: Boolean(options.enabled),
			state: word,
			available: live.some(each => each.isAvailable),
			held: hold ? hold.state : "",
			hold: hold ? pick(hold, ["id", "state", "by", "reason", "since", "until"]) : null,
			failures: item ? item.failures : 0,
			count: item ? item.count : 0,
			threshold: isCount(options.threshold) ? options.threshold : 0,
			min: isCount(options.minRequestCount) ? options.minRequestCount : 0,
			window_ms: isCount(options.windowTime) ? options.windowTime * SECOND : 0,
			half_open_ms: halfOpenMs,
			since: note ? note.since : null,
			until: word === "open" && note ? note.since + halfOpenMs : null,
			reason: note ? note.reason : ""
		};
	}

	// All that fit, those first that an operator looks for. Returns [breakers, how many are left out].
	list(maxBytes) {
		const [listed, seen] = [[], new Set()];
		let [bytes, leftOut] = [0, 0];
		const add = (node, action) => {
			const key = keyOf(node, action);
			if (seen.has(key)) return;
			seen.add(key);
			const breaker = bytes < maxBytes ? this.describe(node, action) : undefined;
			if (breaker === null) return;
			if (breaker) bytes += JSON.stringify(breaker).length;
			if (bytes < maxBytes) listed.push(breaker);
			else leftOut++;
		};
		const items = [...this.store.values()].filter(({ ep }) => !ep.action.name.startsWith("$"));
		for (const hold of this.holds.held.values()) add(hold.node, hold.action);
		for (const { ep, state } of items) if (state !== "close") add(ep.id, ep.action.name);
		for (const { ep, count } of items) if (count > 0) add(ep.id, ep.action.name);
		for (const { id, action } of this.endpoints.all()) add(id, action.name);
		return [listed, leftOut];
	}
}

const pick = (object, names) => Object.fromEntries(names.map(name => [name, object[name]]));

/* The helper of one node. */
class Helper {
	constructor(service) {
		const secret = service.settings.secret;
		this.broker = service.broker;
		this.logger = service.logger;
		this.gate = new Gate(isText(secret) ? secret : process.env.MESHSCOPE_SECRET || "", this.broker);
		this.endpoints = new Endpoints(this.broker);
		this.holds = new Holds(this.endpoints, hold => quietly(() => this.holdEnded(hold), this.logger));
		this.breakers = new Breakers(this.broker, this.endpoints, this.holds);
		this.warned = new Map(); // cause -> { at, silent }
		this.listeners = [];
		this.toldAt = 0;
		this.wholeDue = 0; // when everything is told next
	}

	start() {
		this.isStopped = false;
		this.on("$services.changed", () => {
			this.holds.pinAll();
			this.breakers.changed();
		});
		for (const what of ["opened", "half-opened", "closed"]) {
			this.on(`$circuit-breaker.${what}`, payload => {
				this.breakers.heard(what, payload || {});
				this.changed();
			});
		}
		this.looking = setInterval(() => this.look(), LOOK_MS);
		this.looking.unref();
		this.plan(SECOND);
		if (!this.gate.hasSecret) this.logger.info("No MESHSCOPE_SECRET: breakers are told, and commands refused.");
	}

	stop() {
		const wasInForce = this.holds.held.size > 0 || this.breakers.tripped.size > 0;
		clearInterval(this.looking);
		this.holds.endAll();
		this.breakers.leave();
		for (const [event, hear] of this.listeners.splice(0)) this.broker.localBus.off(event, hear);
		if (wasInForce) this.tellNow();
		clearTimeout(this.telling);
		this.isStopped = true;
	}

	on(event, act) {
		const hear = payload => quietly(() => act(payload), this.logger);
		this.broker.localBus.prependListener(event, hear); // before anybody who may call what has come back
		this.listeners.push([event, hear]);
	}

	look() {
		quietly(() => {
			this.holds.pinAll(); // $services.changed may be held back by a middleware
			if (this.breakers.look()) this.changed();
		}, this.logger);
	}

	holdEnded(hold) {
		this.logger.info(`The hold of ${hold.node}:${hold.action} by ${hold.by} is over.`);
		this.changed();
	}

	// ---- commands

	async obey(params) {
		let said;
		try {
			said = this.gate.check(params, Date.now());
			const message = this.carryOut(said);
			this.logger.info(`${said.verb} ${this.nameOf(said)} ${whyOf(said)}: ${message}`);
			this.changed();
			if (said.verb === "trip" || said.verb === "hold") await new Promise(done => setTimeout(done, LEFT_MS));
			return this.answer("done", "", message, said);
		} catch (error) {
			const no = error instanceof No ? error : new No("failed", "", `the helper failed: ${error.message}`);
			this.gate.count(no.cause);
			this.warn(no);
			return this.answer(no.outcome, no.cause, no.message, said);
		}
	}

	answer(outcome, cause, message, said) {
		const breaker = said ? this.breakers.describe(said.endpoint.node, said.endpoint.action) : null;
		return { outcome, cause, message, breaker };
	}

	nameOf({ endpoint }) {
		return `${line(endpoint.node, 200)}:${line(endpoint.action, 200)}`;
	}

	carryOut(said) {
		const { node, action } = said.endpoint;
		const why = whyOf(said);
		if (this.isStopped) throw new No("failed", "", "the helper is being taken out");
		const hold = this.holds.find(node, action);
		if (said.verb === "release") return this.release(said, hold);
		const endpoint = this.endpoints.of(node, action)[0];
		if (action.startsWith("$") || (!endpoint && !(said.verb === "reset" && hold)))
			throw refused("unknown-endpoint", `${this.nameOf(said)} is no endpoint that this node calls`);
		if (said.verb === "reset") {
			this.holds.end(hold);
			this.breakers.reset(node, action, `reset ${why}`);
			return hold ? "closed, its counts are zero and its hold is released" : "closed, and its counts are zero";
		}
		if (this.broker.options.disableBalancer && !endpoint.local)
			throw refused("balancer", "this node has disableBalancer: the bus chooses who answers, whatever we hold");
		if (said.verb === "hold") return this.hold(said, endpoint);
		if (!this.breakers.options(endpoint).enabled)
			throw refused("disabled", `the breaker of ${this.nameOf(said)} is disabled here: hold it open instead`);
		this.breakers.trip(endpoint, `tripped ${why}`);
		return hold ? `open, once it is no longer held ${hold.state}` : "open";
	}

	hold(said, endpoint) {
		const { state, for_ms } = said;
		if (state !== "open" && state !== "closed") throw refused("malformed", "'state' is neither open nor closed");
		if (typeof for_ms !== "number") throw refused("malformed", "'for_ms' is no number of milliseconds");
		if (for_ms < 1) throw refused("expired", "'for_ms' is less than 1");
		if (for_ms > LONGEST_MS) throw refused("too-long", "'for_ms' is more than 24 hours");
		const kept = { state, for_ms: Math.floor(for_ms), by: line(said.by, 200), reason: line(said.reason, 500) };
		const hold = this.holds.begin(endpoint, kept);
		return `held ${state} until ${new Date(hold.until).toISOString()}`;
	}

	release({ hold: id }, hold) {
		if (!hold) return "nothing was held";
		if (isText(id) && id !== hold.id) throw new No("failed", "", `another hold, by ${hold.by}, has taken its place`);
		this.holds.end(hold);
		return `released, it was held ${hold.state}`;
	}

	// At most one line in ten seconds for each cause: anybody on the bus can make us write.
	warn(no) {
		const now = performance.now();
		const last = this.warned.get(no.cause);
		if (last && now - last.at < WARN_MS) {
			last.silent++;
			return;
		}
		const more = last && last.silent ? ` (and ${last.silent} more since)` : "";
		this.warned.set(no.cause, { at: now, silent: 0 });
		this.logger.warn(`A command was ${no.outcome}${no.cause && ` (${no.cause})`}: ${no.message}${more}.`);
	}

	// ---- telling

	list(maxBytes) {
		const [breakers, left_out] = this.breakers.list(maxBytes);
		return {
			format: 1,
			node: this.broker.nodeID,
			instance: this.broker.instanceID,
			at: Date.now(),
			program: PROGRAM,
			acts: this.gate.hasSecret,
			breakers,
			left_out,
			refused: { ...this.gate.counts }
		};
	}

	// Something moved: tell soon, and the last of many for certain.
	changed() {
		const gap = GAP_MS * Math.max(1, this.helpers() / GAP_HELPERS);
		if (!this.isStopped) this.plan(Math.max(0, this.toldAt + gap - performance.now()));
	}

	plan(ms) {
		const due = performance.now() + ms;
		if (this.telling && this.due <= due) return;
		clearTimeout(this.telling);
		this.due = due;
		this.telling = setTimeout(() => {
			this.telling = null;
			this.tellNow();
			this.plan(Math.max(GAP_MS, this.wholeDue - performance.now()));
		}, ms);
		this.telling.unref();
	}

	helpers() {
		const offering = this.broker.registry.getActionEndpoints(TELLS);
		return offering ? offering.count() : 0;
	}

	// In a large mesh less often, so that all helpers together stay quiet.
	pause() {
		const packets = this.helpers() * this.listening().length;
		return Math.max(TELL_MS, (packets / PACKETS_A_SECOND) * SECOND);
	}

	tellNow() {
		this.toldAt = performance.now();
		quietly(() => {
			const isWhole = this.toldAt >= this.wholeDue;
			if (isWhole) this.wholeDue = this.toldAt + this.pause() * (0.95 + 0.1 * Math.random());
			const { transit } = this.broker;
			const groups = transit && transit.connected ? this.listening() : [];
			if (groups.length === 0) return null;
			return this.broker.broadcast(TELLS, this.list(isWhole ? TOLD_BYTES : MOVED_BYTES), { groups });
		}, this.logger);
	}

	// Groups that are told: those of everybody who is no helper, and of the next helpers by name.
	listening() {
		const { registry, nodeID } = this.broker;
		const offering = registry.getActionEndpoints(TELLS);
		const [helpers, others] = [[], []];
		for (const { id, event, service } of registry.events.getAllEndpoints(TELLS)) {
			if (id === nodeID) continue;
			const isHelper = Boolean(offering) && offering.hasNodeID(id);
			(isHelper ? helpers : others).push({ id, group: event.group || service.name });
		}
		helpers.sort((a, b) => (a.id < b.id ? -1 : 1));
		const next = [...helpers.filter(({ id }) => id > nodeID), ...helpers.filter(({ id }) => id < nodeID)];
		return [...others, ...next.slice(0, HELPERS_TOLD)].map(({ group }) => group);
	}
}

// Not for API gateways, no breaker or queue of its own, and no trace of being asked every few seconds.
const action = handler => ({
	visibility: "public",
	cache: false,
	tracing: false,
	circuitBreaker: { enabled: false },
	bulkhead: { enabled: false },
	handler
});

/*
 * $node.options gives what can be reached from the broker's options, and a logger among them knows the broker and all
 * its services: whoever writes them as JSON must not find the secret.
 */
function hideSecret(schema) {
	if (!isObject(schema)) return;
	if (isObject(schema.settings) && "secret" in schema.settings)
		Object.defineProperty(schema.settings, "secret", { enumerable: false });
	for (const mixin of [].concat(schema.mixins || [])) hideSecret(mixin);
}

module.exports = {
	name: SERVICE,

	settings: { $secureSettings: ["secret"] },

	merged(schema) {
		const settings = schema.settings || {};
		const secure = new Set([...(settings.$secureSettings || []), "secret"]);
		schema.settings = { ...settings, secret: settings.secret, $secureSettings: [...secure] };
		hideSecret(schema);
		hideSecret(this.originalSchema); // a copy
		// Events are in a group of this node, so that each helper gets its own copy and takes nobody else's.
		// Declaring them is enough: nodes send what somebody listens to, and there a tap sees it.
		const listening = { group: `meshscope.${this.broker.nodeID}`, handler() {} };
		schema.events = { ...schema.events, "$circuit-breaker.*": listening, [TELLS]: listening };
	},

	actions: {
		breakers: action(function () {
			return this.helper.list(ASKED_BYTES);
		}),
		command: action(function (ctx) {
			return this.helper.obey(ctx.params);
		})
	},

	created() {
		this.helper = new Helper(this);
	},

	started() {
		const first = this.broker.services.find(service => service.name === SERVICE);
		if (first !== this) this.logger.warn("This node has Meshscope's helper twice; this one rests.");
		else this.helper.start();
	},

	stopped() {
		this.helper.stop();
	}
};
