"use strict";
// Values that serializers differ on, sent to an action that gives back what it got: how each comes home.
const { inspect, isDeepStrictEqual } = require("util");

const VALUES = {
	buffer: Buffer.from([0, 1, 255]),
	date: new Date(1700000000123),
	wholeDate: new Date(1700000000000),
	earlyDate: new Date(-12345),
	lateDate: new Date(20000000000123),
	bigint: 2n ** 60n,
	hugeBigint: 2n ** 80n,
	negativeBigint: -(2n ** 80n),
	undefinedMember: { a: undefined, b: 1 },
	undefinedItem: [undefined, 1],
	nulls: [null, { a: null }],
	nan: NaN,
	infinity: -Infinity,
	minusZero: -0,
	floats: [0.1, 1.5, 1e300, 5e-324],
	numbers: [2 ** 31, 2 ** 32, 2 ** 40, -(2 ** 31) - 1, -(2 ** 40), 2 ** 53 - 1, -(2 ** 53) + 1],
	unicode: "é😀\u0000\u2028",
	cut: "caf\ud83d",
	long: "ü".repeat(70000),
	set: new Set([1, "a"]),
	setOfObjects: new Set([{ a: 1 }]),
	map: new Map([["a", 1]]),
	mapOfMaps: new Map([["a", new Map([["b", new Date(1)]])]]),
	mapOfNumbers: new Map([[1, "a"]]),
	regexp: /a|b\//gi,
	bytes: new Uint8Array([1, 2]),
	floatArray: new Float64Array([1.5, -2]),
	marked: ["[[BI]]1", "[[", "[[ES]]x"],
	deep: { a: { b: [{ c: Buffer.from("x"), d: new Date(5) }] } },
	many: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i]))
};

async function outcome(echo, value) {
	try {
		const found = (await echo(value)).value;
		return isDeepStrictEqual(found, value) ? "same" : inspect(found, { depth: 9, breakLength: Infinity, compact: 9 });
	} catch (err) {
		return "error";
	}
}

/** By name: "same", "error", or what came back instead. */
async function battery(echo) {
	const entries = Object.entries(VALUES).map(async ([name, value]) => [name, await outcome(echo, value)]);
	return Object.fromEntries(await Promise.all(entries));
}

module.exports = { battery };
