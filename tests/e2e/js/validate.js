/*
 * Runs fastest-validator for the comparison with ours.
 *
 * A line of JSON comes in: a list of {schema, values, options}, or {real, values} for a schema of real_schemas.js; one
 * goes out: for each of them {refused: text} when the schema cannot be compiled, else {results: [{threw: text} |
 * {errors, value}]}. What JSON cannot carry is {"$": kind, …}.
 */
"use strict";

const Validator = require("fastest-validator");
const readline = require("readline");
const realSchemas = require("./real_schemas");

class ObjectID {
	#text; // a property would be seen by objects and records

	constructor(text) {
		this.#text = text;
	}
	get text() {
		return this.#text;
	}
	static isValid(value) {
		return typeof value === "string" && /^[0-9a-f]{24}$/i.test(value);
	}
}

const functions = {
	short(value, errors) {
		const seen = value === undefined ? null : value; // Python's functions see no undefined
		if (String(seen).length > 3) errors.push({ type: "stringMax", expected: 3, actual: seen });
		return value;
	},
	twice: value => (typeof value === "string" || typeof value === "number" ? value + value : value),
	later: async value => functions.twice(value),
	unknown(value, errors, schema, path) {
		errors.push({ type: "nobodyKnows", message: "Bad {field} at " + (path.replace(/^null/, "") || "$$root"), actual: 1 });
		return value;
	},
	seven: () => 7,
	named: (schema, field) => [schema.type, field]
};

const classes = { ObjectID };

function decode(value) {
	if (Array.isArray(value)) return value.map(decode);
	if (value === null || typeof value !== "object") return value;
	switch (value.$) {
		case undefined: {
			const out = {};
			for (const key of Object.keys(value)) out[key] = decode(value[key]);
			return out;
		}
		case "object": return Object.fromEntries(value.pairs.map(([key, each]) => [key, decode(each)]));
		case "undefined": return undefined;
		case "number": return Number(value.text);
		case "date": return new Date(value.ms);
		case "function": return functions[value.name];
		case "class": return classes[value.name];
		case "id": return new ObjectID(value.text);
	}
	throw new Error("unknown " + value.$);
}

function encode(value) {
	if (value === undefined) return { $: "undefined" };
	if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0)))
		return { $: "number", text: Object.is(value, -0) ? "-0" : String(value) };
	if (typeof value === "function") return { $: "function", name: value.name };
	if (value === null || typeof value !== "object") return value;
	if (value instanceof Date) return { $: "date", ms: value.getTime() };
	if (value instanceof ObjectID) return { $: "id", text: value.text };
	if (Array.isArray(value)) return value.map(encode);
	if ("$" in value) return { $: "object", pairs: Object.entries(value).map(([key, each]) => [key, encode(each)]) };
	const out = {};
	for (const key of Object.keys(value)) out[key] = encode(value[key]);
	return out;
}

function shared(schema, places) {
	// places: paths of objects that are one and the same, [from, to]
	for (const [from, to] of places || []) {
		let source = schema;
		for (const key of from) source = source[key];
		let target = schema;
		for (const key of to.slice(0, -1)) target = target[key];
		target[to[to.length - 1]] = source;
	}
	return schema;
}

async function run({ schema, real, values, options, same }) {
	let check;
	try {
		const validator = new Validator({ useNewCustomCheckerFunction: true, ...decode(options || {}) });
		check = validator.compile(real ? realSchemas[real]() : shared(decode(schema), same));
	} catch (err) {
		return { refused: `${err.name}: ${err.message}` };
	}
	const results = [];
	for (const encoded of values) {
		const value = decode(encoded);
		try {
			const errors = check.async ? await check(value) : check(value);
			results.push({ errors: encode(errors === true ? [] : errors), value: encode(value) });
		} catch (err) {
			results.push({ threw: `${err.name}: ${err.message}` });
		}
	}
	return { results };
}

async function answer() {
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const answers = [];
		for (const question of JSON.parse(line)) answers.push(await run(question));
		process.stdout.write(JSON.stringify(answers) + "\n");
	}
}

answer();
