/*
 * What MoleculerJS makes of things, without a mesh.
 *
 *   node judge.js VERSION(014|015) < cases.json > verdicts.json
 *
 * Functions travel as {"$fn": name}. A case is {"ask": ..., ...}; there is one verdict for each.
 */
"use strict";

const [version] = process.argv.slice(2);
const { ServiceBroker, Service, Strategies, Utils } = require(`moleculer-${version}`);

const broker = new ServiceBroker({ nodeID: "judge", logger: false, internalServices: false });

function thaw(value, make) {
	if (Array.isArray(value)) return value.map(each => thaw(each, make));
	if (value && typeof value === "object") {
		if (typeof value.$fn === "string") return make(value);
		return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, thaw(each, make)]));
	}
	return value;
}

function freeze(value) {
	if (typeof value === "function") return { $fn: value.called };
	if (Array.isArray(value)) return value.map(freeze);
	if (value && typeof value === "object")
		return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, freeze(each)]));
	return value;
}

function named(value) {
	const fn = () => value.$fn;
	fn.called = value.$fn;
	return fn;
}

async function hooks(schema, actions) {
	const own = new ServiceBroker({ nodeID: "judge", logger: false, internalServices: false });
	const said = [];
	const fn = value => (ctx, ...rest) => {
		// what a hook before gave the next one gets; nobody is told so
		if (value.$fn.startsWith("before")) rest = [];
		said.push([value.$fn, rest.map(each => (each instanceof Error ? `error ${each.message}` : each))]);
		if (value.raises) throw new Error(value.$fn);
		return value.gives;
	};
	own.createService(thaw(schema, fn));
	await own.start();
	const results = [];
	for (const action of actions) {
		said.length = 0;
		const result = await own.call(action).then(ok => ({ ok: ok === undefined ? null : ok }), err => ({ error: err.message }));
		results.push({ said: JSON.parse(JSON.stringify(said)), ...result });
	}
	await own.stop();
	return results;
}

const asked = {
	match: c => c.pairs.map(([text, pattern]) => Utils.match(text, pattern)),
	merge: c => freeze(new Service(broker).applyMixins(thaw(c.schema, named))),
	hooks: c => hooks(c.schema, c.actions),
	shard(c) {
		const strategy = new Strategies.Shard(broker.registry, broker, c.options);
		const list = c.nodes.map(id => ({ id }));
		return c.contexts.map(ctx => strategy.select(list, ctx).id);
	}
};

async function main() {
	let text = "";
	for await (const chunk of process.stdin) text += chunk;
	const verdicts = [];
	for (const each of JSON.parse(text)) verdicts.push(await asked[each.ask](each));
	process.stdout.write(JSON.stringify(verdicts));
}

main();
