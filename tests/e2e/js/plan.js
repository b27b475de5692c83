"use strict";
// The calls that a caller makes: the same ones in the same order for each round of each worker.
const { Readable } = require("stream");

const STEPS = {
	get: (broker, id) => broker.call("users.get", { id }),
	look: (broker, id) => broker.call("desk.look", { id }),
	order: (broker, id) => broker.call("desk.order", { id }),
	create: (broker, id) => broker.call("v2.orders.create", { id }, { meta: { user: "anna" } }),
	refuse: (broker, id) => broker.call("payments.refuse", { card: id }),
	crash: broker => broker.call("payments.crash"),
	missing: (broker, id) => broker.call("users.missing", { id }),
	invalid: broker => broker.call("users.get", { id: "seven" }),
	flaky: (broker, id) => broker.call("payments.flaky", { key: `${broker.nodeID} ${id}` }, { retries: 3 }),
	slow: broker => broker.call("users.slow", { ms: 250 }, { timeout: 60 }),
	slowTwice: broker => broker.call("users.slow", { ms: 250 }, { timeout: 60, retries: 1 }),
	impatient: broker => broker.call("payments.impatient"),
	unicode: (broker, id) => broker.call("users.unicode", { text: `ü\ud83d${id}` }),
	read: async broker => drain(await broker.call("files.read", { parts: 5 })),
	rows: async broker => drain(await broker.call("files.rows", { rows: 4 })),
	write: (broker, id, version) => {
		const stream = Readable.from([Buffer.alloc(300, 1), Buffer.alloc(200, 2)], { objectMode: false });
		return version === "014"
			? broker.call("files.write", stream, { meta: { id } })
			: broker.call("files.write", { id }, { stream });
	},
	send: broker => broker.call("mail.send", { to: "anna" }),
	ping: broker => broker.ping()
};

async function drain(stream) {
	const parts = [];
	for await (const part of stream) parts.push(part);
	return parts;
}

// Runs `rounds` rounds of the steps in each of `workers` workers at once; `steps` are names of STEPS, all by default.
async function run(broker, { version, rounds = 1, workers = 1, first = 1, gap_ms = 0, steps = Object.keys(STEPS) }) {
	async function worker(number) {
		for (let round = 0; round < rounds; round++) {
			for (const step of steps) {
				const id = first + round * workers + number;
				// how it ended is in the log; the plan goes on
				await STEPS[step](broker, id, version).catch(() => {});
				if (gap_ms) await new Promise(resolve => setTimeout(resolve, gap_ms));
			}
		}
	}
	await Promise.all(Array.from({ length: workers }, (_, number) => worker(number)));
}

module.exports = { run };
