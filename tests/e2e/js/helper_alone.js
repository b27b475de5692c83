/*
 * Meshscope's helper in odd nodes and at odd moments, each story in brokers of its own within this process.
 *
 *   node helper_alone.js VERSION(014|015) > {"story": what it saw, …}
 *
 * It must end by itself: a timer that the helper leaves behind would keep it alive.
 */
"use strict";

const crypto = require("crypto");
const path = require("path");
const { ServiceBroker, Errors } = require(`moleculer-${process.argv[2]}`);
const schema = require(path.join(__dirname, "..", "..", "..", "resources", "agent", "meshscope.service.js"));

const SECRET = "a secret of these stories";
const TRANSFER = "bank.transfer";
const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
const QUIET = { logger: false, skipProcessEventRegistration: true };
const BREAKER = { enabled: true, minRequestCount: 3, threshold: 0.5, halfOpenTime: 400, windowTime: 60 };

function spin(ms) {
	const end = performance.now() + ms;
	while (performance.now() < end);
}

const failing = new Set(); // brokers whose bank is shut
const bank = () => ({
	name: "bank",
	actions: {
		transfer(ctx) {
			if (failing.has(ctx.broker)) throw new Errors.MoleculerServerError("shut", 500, "SHUT");
			return ctx.broker.nodeID;
		}
	}
});

const running = [];

async function start(nodeID, options = {}, ...services) {
	const broker = new ServiceBroker({ nodeID, ...QUIET, circuitBreaker: BREAKER, ...options });
	running.push(broker);
	broker.createService({ mixins: [schema], settings: { secret: SECRET } });
	for (const service of services) broker.createService(service);
	await broker.start();
	return broker;
}

async function until(condition) {
	const patience = performance.now() + 20000;
	while (!condition()) {
		if (performance.now() > patience) throw new Error(`never: ${condition}`);
		await wait(5);
	}
}

const signed = command => ({
	command,
	signature: crypto.createHmac("sha256", SECRET).update(command).digest("hex")
});

function order(broker, verb, node, fields = {}) {
	const { namespace, nodeID, instanceID: instance } = broker;
	const endpoint = { node, action: TRANSFER };
	const [nonce, time] = [crypto.randomBytes(16).toString("hex"), Date.now()];
	const more = { by: "user@host", reason: "a test", ...fields };
	return signed(JSON.stringify({ verb, namespace, node: nodeID, instance, endpoint, nonce, time, ...more }));
}

const helperOf = broker => broker.getLocalService("$meshscope").helper;
// straight to the service: whatever a balancer would do
const tell = (broker, verb, node, fields) => helperOf(broker).obey(order(broker, verb, node, fields));
const open = { state: "open", for_ms: 60000 };
const list = broker => broker.call("$meshscope.breakers", {}, { nodeID: broker.nodeID });
const endpointOf = (broker, node) => broker.registry.getActionEndpoints(TRANSFER)?.endpoints.find(ep => ep.id === node);
const call = broker => broker.call(TRANSFER).catch(error => error.name);
const word = ({ outcome, cause }) => `${outcome} ${cause}`.trim();
const state = breaker => `${breaker.state} ${breaker.held || "free"} ${breaker.available}`;

async function only(broker, node) {
	return (await list(broker)).breakers.find(breaker => breaker.node === node && breaker.action === TRANSFER);
}

const STORIES = {
	async no_transporter() {
		const broker = await start("alone", {}, bank());
		const seen = { listed: (await list(broker)).breakers.map(each => each.action) };
		seen.held = word(await tell(broker, "hold", "alone", open));
		seen.call = await call(broker);
		return { ...seen, released: word(await tell(broker, "release", "alone")), again: await call(broker) };
	},

	async no_breaker_at_all() {
		const broker = await start("alone", { internalMiddlewares: false }, bank());
		const seen = { store: typeof broker.CircuitBreakerStore, breaker: (await only(broker, "alone")).enabled };
		seen.trip = word(await tell(broker, "trip", "alone"));
		seen.reset = word(await tell(broker, "reset", "alone"));
		seen.hold = word(await tell(broker, "hold", "alone", open));
		return { ...seen, call: await call(broker) };
	},

	async no_secret() {
		const broker = new ServiceBroker({ nodeID: "alone", ...QUIET });
		running.push(broker);
		broker.createService(schema);
		await broker.start();
		const answer = await broker.call("$meshscope.command", order(broker, "reset", "alone"));
		return { answer: word(answer), acts: (await list(broker)).acts };
	},

	// The bus in memory has no queues, so that calls name their node.
	async balancer_off() {
		const options = { transporter: "fake", disableBalancer: true, namespace: "balancer" };
		const heard = [];
		const events = { "$meshscope.breakers": { group: "inspector", handler: ctx => heard.push(ctx.params.node) } };
		const shop = await start("shop", options);
		const bank1 = await start("bank-1", options, bank(), { name: "inspector", events });
		const ask = () => shop.call(TRANSFER, {}, { nodeID: "bank-1" }).catch(error => error.name);
		await until(() => endpointOf(shop, "bank-1"));
		const seen = { off: shop.options.disableBalancer, before: await ask() };
		seen.remote = word(await tell(shop, "hold", "bank-1", open));
		seen.trip = word(await tell(shop, "trip", "bank-1"));
		seen.local = word(await tell(bank1, "hold", "bank-1", open));
		seen.turned_away = await ask();
		seen.released = word(await tell(bank1, "release", "bank-1"));
		seen.after = await ask();
		failing.add(bank1);
		for (let i = 0; i < 9; i++) await ask(); // opens the breaker; here no event tells within the node
		await until(() => helperOf(shop).breakers.notes.size > 0);
		seen.noticed = (await only(shop, "bank-1")).since > 0;
		await until(() => heard.includes("shop"));
		return seen;
	},

	async absurd_params() {
		const broker = await start("alone", {}, bank());
		const odd = [null, undefined, 0, -1, 1e308, NaN, true, "", "x", [], {}, [[]], "\ud83d", "\0", "a".repeat(70000)];
		const one = () => odd[crypto.randomInt(odd.length)];
		const names = "verb namespace node instance endpoint state for_ms time nonce by hold".split(" ");
		const answers = new Map();
		const count = answer => answers.set(word(answer), (answers.get(word(answer)) || 0) + 1);
		for (const value of odd) count(await broker.call("$meshscope.command", value));
		for (let i = 0; i < 2000; i++) {
			const good = JSON.parse(order(broker, ["hold", "trip", "release", "reset"][i % 4], "alone", open).command);
			for (let n = crypto.randomInt(3); n >= 0; n--) good[names[crypto.randomInt(names.length)]] = one();
			if (i % 5 === 0) good.endpoint = { node: one(), action: one() };
			if (good.verb === "hold" || good.verb === "trip") good.endpoint = { node: one(), action: one() };
			count(await helperOf(broker).obey(signed(JSON.stringify(good))));
		}
		const failed = [...answers.keys()].filter(each => each.startsWith("failed"));
		await tell(broker, "reset", "alone");
		return { failed, kinds: answers.size > 4, state: state(await only(broker, "alone")), call: await call(broker) };
	},

	async nonces_are_bounded() {
		const broker = await start("alone", {}, bank());
		const answers = new Set();
		for (let i = 0; i < 10000; i++) answers.add(word(await tell(broker, "release", "alone")));
		const more = word(await tell(broker, "release", "alone"));
		return { answers: [...answers], more, kept: helperOf(broker).gate.nonces.size };
	},

	async endpoints_are_restored() {
		const broker = await start("alone", {}, bank());
		const endpoint = endpointOf(broker, "alone");
		const describe = () => JSON.stringify(Object.getOwnPropertyDescriptor(endpoint, "state"));
		const seen = { before: describe() };
		await tell(broker, "hold", "alone", open);
		seen.held = [endpoint.state, endpoint.isAvailable];
		endpoint.state = false; // as the breaker does
		await tell(broker, "hold", "alone", { ...open, state: "closed" });
		seen.held_closed = [endpoint.state, endpoint.isAvailable];
		await tell(broker, "release", "alone");
		seen.released = describe();
		endpoint.state = true;
		return { ...seen, after: describe(), pins: helperOf(broker).holds.pins.has(endpoint) };
	},

	async a_hold_is_over_on_time_even_if_no_timer_runs() {
		const broker = await start("alone", {}, bank());
		const endpoint = endpointOf(broker, "alone");
		await tell(broker, "hold", "alone", { ...open, for_ms: 200 });
		const held = endpoint.isAvailable;
		spin(220);
		return { held, over: endpoint.isAvailable };
	},

	async a_clock_that_is_set_back_prolongs_nothing() {
		const broker = await start("alone", {}, bank());
		const endpoint = endpointOf(broker, "alone");
		await tell(broker, "hold", "alone", { ...open, for_ms: 200 });
		const now = Date.now;
		Date.now = () => now() - 3600000;
		const held = endpoint.isAvailable;
		await wait(250);
		Date.now = now;
		return { held, over: endpoint.isAvailable, left: helperOf(broker).holds.held.size };
	},

	async a_trip_outlives_the_window() {
		const broker = await start("alone", { circuitBreaker: { ...BREAKER, windowTime: 0.05, halfOpenTime: 1500 } }, bank());
		await tell(broker, "trip", "alone");
		await wait(300); // some windows, in which MoleculerJS forgets breakers without calls
		const open = state(await only(broker, "alone"));
		await until(() => endpointOf(broker, "alone").state);
		return { open, call: await call(broker), closed: (await only(broker, "alone")).state };
	},

	async gauges_follow() {
		const broker = await start("alone", { metrics: { enabled: true, reporter: [] } }, bank());
		const gauges = () =>
			["opened.active", "opened.total", "half-opened.active"].map(name => {
				const labels = { affectedNodeID: "alone", service: "bank", action: TRANSFER };
				const value = broker.metrics.getMetric(`moleculer.circuit-breaker.${name}`).get(labels);
				return value ? value.value : 0;
			});
		await tell(broker, "trip", "alone");
		const tripped = gauges();
		await until(() => endpointOf(broker, "alone").state);
		const half = gauges();
		await tell(broker, "reset", "alone");
		return { tripped, half, reset: gauges() };
	},

	async a_breaker_of_one_action_alone() {
		const service = bank();
		service.actions.transfer = { circuitBreaker: BREAKER, handler: service.actions.transfer };
		const options = { circuitBreaker: { enabled: false }, metrics: { enabled: true, reporter: [] } };
		const broker = await start("alone", options, service);
		return { trip: word(await tell(broker, "trip", "alone")), call: await call(broker) };
	},

	async a_service_that_is_loaded_anew_can_be_kept_away_again() {
		const options = { transporter: "fake", namespace: "anew" };
		const shop = await start("shop", options);
		const bank1 = await start("bank-1", options, bank());
		await until(() => shop.registry.getActionEndpoints(TRANSFER));
		failing.add(bank1);
		for (let i = 0; i < 3; i++) await call(shop);
		const before = state(await only(shop, "bank-1"));
		await bank1.destroyService("bank");
		await until(() => !endpointOf(shop, "bank-1"));
		bank1.createService(bank());
		await until(() => endpointOf(shop, "bank-1"));
		const anew = state(await only(shop, "bank-1"));
		for (let i = 0; i < 3; i++) await call(shop);
		return { before, anew, after: state(await only(shop, "bank-1")), call: await call(shop) };
	},

	// service.actions.x() has endpoints of its own, and the breaker may know those only
	async actions_called_from_within_their_service() {
		const broker = await start("alone", {}, {
			name: "bank",
			actions: {
				transfer: () => "done",
				secret: { visibility: "private", handler: () => "done" },
				within() {
					return this.actions.secret().then(() => this.actions.transfer());
				}
			}
		});
		const seen = { within: await broker.call("bank.within") };
		seen.listed = (await list(broker)).breakers.map(each => `${each.action} ${each.count}`).sort();
		seen.trip = word(await tell(broker, "trip", "alone"));
		return { ...seen, call: await call(broker) };
	},

	async a_broken_bus_harms_no_call() {
		const broker = await start("alone", {}, bank());
		const { broadcast } = broker;
		broker.broadcast = () => {
			throw new Error("the bus is gone");
		};
		const trip = await tell(broker, "trip", "alone");
		const { outcome } = await tell(broker, "reset", "alone");
		broker.broadcast = broadcast;
		return { trip: word(trip), reset: outcome, call: await call(broker) };
	},

	async loaded_twice() {
		const broker = await start("alone", {}, schema, bank());
		const [first, second] = broker.services.filter(service => service.name === "$meshscope");
		const hold = word(await broker.call("$meshscope.command", order(broker, "hold", "alone", open)));
		const looking = [first, second].map(({ helper }) => helper.looking !== undefined);
		return { looking, holds: first.helper.holds.held.size, hold, call: await call(broker) };
	},

	async a_large_mesh() {
		const broker = await start("here", { transporter: "fake", namespace: "large" }, bank());
		const offer = (name, actions, events = {}) => ({
			name,
			fullName: name,
			settings: {},
			metadata: {},
			actions: Object.fromEntries(actions.map(each => [`${name}.${each}`, { name: `${name}.${each}` }])),
			events
		});
		const actions = Array.from({ length: 99 }, (_, i) => `action-${i}`);
		const told = group => ({ "$meshscope.breakers": { name: "$meshscope.breakers", group } });
		for (let i = 0; i < 100; i++) {
			const sender = `node-${String(i).padStart(3, "0")}`;
			const helper = offer("$meshscope", ["breakers", "command"], told(`meshscope.${sender}`));
			const services = [helper, offer("bank", ["transfer"]), offer("shop", actions)];
			broker.registry.processNodeInfo({ sender, seq: 1, instanceID: sender, services });
		}
		const inspector = { name: "$inspector", fullName: "$inspector", events: told("inspector-7") };
		broker.registry.processNodeInfo({ sender: "inspector", seq: 1, instanceID: "i", services: [inspector] });
		const helper = helperOf(broker);
		await helper.obey(order(broker, "hold", "node-057", open));
		const [asked, sent] = [helper.list(768 * 1024), helper.list(128 * 1024)];
		const bytes = value => JSON.stringify(value).length;
		return {
			endpoints: [...helper.endpoints.all()].length,
			asked: asked.breakers.length + asked.left_out,
			asked_fits: bytes(asked) < 780 * 1024 && asked.breakers.length > 1500,
			sent_fits: bytes(sent) < 130 * 1024 && sent.breakers.length > 250,
			first: `${sent.breakers[0].node} ${sent.breakers[0].held}`,
			groups: helper.listening(),
			pause_s: Math.round(helper.pause() / 1000)
		};
	},

	async nothing_is_left_behind() {
		const broker = await start("alone", {}, bank());
		const bus = broker.localBus;
		const count = () => ["$services.changed", "$circuit-breaker.opened"].map(name => bus.listeners(name).length);
		const with_helper = count();
		await tell(broker, "hold", "alone", open);
		const endpoint = endpointOf(broker, "alone");
		await broker.destroyService("$meshscope");
		const descriptor = Object.getOwnPropertyDescriptor(endpoint, "state");
		return { with_helper, without: count(), value: descriptor.value, call: await call(broker) };
	}
};

// These stop the process for a while, or turn its clock.
const APART = [
	"absurd_params",
	"nonces_are_bounded",
	"a_hold_is_over_on_time_even_if_no_timer_runs",
	"a_clock_that_is_set_back_prolongs_nothing",
	"a_large_mesh"
];

async function main() {
	const seen = {};
	const play = async name => {
		seen[name] = await STORIES[name]().catch(error => ({ failed: error.stack }));
	};
	for (const name of APART) await play(name);
	await Promise.all(Object.keys(STORIES).filter(name => !APART.includes(name)).map(play));
	await Promise.all(running.map(broker => broker.stop()));
	process.stdout.write(JSON.stringify(seen));
}

process.on("unhandledRejection", error => {
	console.error(error);
	process.exitCode = 1;
});
delete process.env.MESHSCOPE_SECRET;
main();
