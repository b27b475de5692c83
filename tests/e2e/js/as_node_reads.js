"use strict";
// Reads lines {"serializer", "body" (base64)} and answers each with the packet as JSON, as Node's own serializer reads it.
const readline = require("readline");
const msgpack5 = require("msgpack5")();
const notepack = require("notepack.io");
const { Serializers } = require("moleculer-015");

const cbor = new Serializers.CBOR();
cbor.init();
const extended = new Serializers.JSONExt();

const READERS = {
	JSON: body => JSON.parse(body),
	JSONExt: body => extended.deserialize(body),
	CBOR: body => cbor.deserialize(body),
	MsgPack: body => msgpack5.decode(body),
	Notepack: body => notepack.decode(body)
};

readline.createInterface({ input: process.stdin }).on("line", line => {
	const { serializer, body } = JSON.parse(line);
	process.stdout.write(JSON.stringify(READERS[serializer](Buffer.from(body, "base64"))) + "\n");
});
